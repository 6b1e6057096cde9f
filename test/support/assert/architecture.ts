/** Files that every room may import, in addition to those of fs/. */
export const sharedFiles: readonly string[] = ['errors.ts', 'escape.ts', 'host.ts'];

/**
 * Rooms that each room of src/ may import from, in addition to itself, the shared files and fs/. ARCHITECTURE.md shows
 * this table.
 */
export const allowedImports: Record<string, string[]> = {
  main: ['commands', 'spec'],
  commands: ['actions', 'engine', 'reporter', 'spec'],
  actions: [
    'plan',
    'engine',
    'workspace',
    'toolchain',
    'spec',
    'channel',
    'reporter',
    'registry',
    'inspect',
    'start',
    'attest',
    'secrets',
    'sync',
    'junit',
    'deliver',
    'oci',
    'put',
  ],
  sync: ['engine', 'workspace', 'oci'],
  plan: ['spec', 'toolchain', 'workspace', 'oci'],
  toolchain: ['engine', 'oci', 'reporter', 'spec'],
  engine: ['oci'],
  put: ['registry', 'oci'],
  registry: ['oci'],
  workspace: ['oci'],
  spec: ['channel', 'oci'],
  channel: ['oci'],
  secrets: ['spec', 'attest', 'oci'],
  junit: [],
  deliver: ['spec', 'oci'],
  reporter: [],
  start: ['inspect', 'attest', 'oci'],
  inspect: ['attest', 'reporter', 'oci'],
  attest: ['oci'],
  oci: [],
  fs: [],
};

/**
 * Folders of actions/ that each of them may import from, in addition to itself, lowest first.
 * src/actions/README.md shows this table.
 */
export const actionImports: Record<string, string[]> = {
  session: [],
  trust: ['session'],
  engine: ['session'],
  store: ['session'],
  toolchain: ['session'],
  'run/defaults': [],
  'run/workspace': ['session', 'run/defaults'],
  'run/container': ['run/defaults', 'run/workspace'],
  'run/services': ['run/defaults', 'run/container'],
  run: ['session', 'trust', 'toolchain', 'run/defaults', 'run/workspace', 'run/container', 'run/services'],
  lock: ['session', 'toolchain', 'run'],
  'image/base': ['session', 'store', 'toolchain'],
  image: ['session', 'store', 'toolchain', 'run', 'image/base'],
  'maintenance/store': ['session', 'store'],
  maintenance: ['session', 'store', 'run/defaults', 'run/workspace', 'maintenance/store'],
  'release/attest': ['session', 'store', 'image'],
  'release/push': ['session', 'store', 'image', 'release/attest'],
  channel: ['session', 'store', 'release/attest'],
  release: [
    'session',
    'store',
    'toolchain',
    'run/workspace',
    'run/services',
    'run',
    'image/base',
    'image',
    'maintenance',
    'release/push',
  ],
  'release/rebase': ['session', 'store', 'toolchain', 'image/base', 'image', 'release/push', 'release'],
  'release/list': ['session', 'store', 'image/base', 'channel', 'release/rebase'],
  'release/verify': ['session', 'store', 'run', 'image', 'release/attest', 'release'],
  'toolchain/push': ['session', 'toolchain', 'release/push'],
  'shards/executor': ['run/workspace', 'run'],
  'shards/swarm': [
    'session',
    'run/workspace',
    'run/container',
    'run',
    'release/push',
    'toolchain/push',
    'shards/executor',
  ],
  shards: ['session', 'run', 'shards/executor', 'shards/swarm'],
  inspect: ['session', 'store', 'image'],
  deliver: ['session', 'trust', 'store', 'channel'],
  rotate: ['session', 'store', 'channel', 'run/container', 'run/services', 'release/push', 'release/rebase'],
};

/** Packages that belong to one room. */
export const packageOwners: Record<string, string> = {
  dockerode: 'engine',
  '@oclif/core': 'commands',
  listr2: 'reporter',
  '@noble/ciphers': 'attest',
  'spdx-expression-parse': 'attest',
  sax: 'junit',
  'tar-fs': 'actions',
  '@aws-sdk/client-s3': 'put',
  '@aws-sdk/lib-storage': 'put',
  '@aws-sdk/credential-provider-ini': 'put',
  '@aws-sdk/credential-provider-node': 'put',
  fflate: 'deliver',
};

/**
 * Pattern of code that looks into the facts of an error, whose type shows no keys: a cast, `in`, a reader of unknown
 * JSON, a list of keys, a type that declares them again.
 */
export const looksIntoFacts =
  /\bfacts\)? as\b|\bas \{[^}]*\bfacts\b|\bin [\w.]*\bfacts\b|\b(read(Field|Text|Number|List)\w*|Object\.\w+)\([\w.]*\bfacts\b|interface \w+ extends \w+Error\b|\w+Error & \{/;

/** Modules that open or read files themselves, and the reason why `fs/read-bounded.ts` does not fit them. */
export const ownReaders: Record<string, string> = {
  'fs/read-bounded.ts': 'is that reader',
  'oci/tar/host-file.ts': 'reads files of the workspace to a size that lstat promised; neither follows links nor waits',
  'sync/read/hash-file.ts':
    'streams files of the workspace that fstat says are regular; neither follows links nor waits',
  'attest/packages/collect-packages.ts': 'reads places of a layer that gbuild unpacked into a folder of its own',
  'inspect/compare-trees.ts': 'reads places of a layer that gbuild unpacked into a folder of its own',
  'start/image-files.ts':
    'reads places of layers in the store, and of files of the workspace that were walked; neither follows links nor waits',
  'oci/stream/file-source.ts': 'streams a layer of a store, whose size and digest are checked',
  'oci/layout/layout.ts': 'streams a file that gbuild itself made; opens blobs to note that they are wanted',
  'oci/image/read-archive.ts': 'streams a layer that gbuild unpacked into a folder of its own',
  'actions/inspect/layout-image.ts': 'streams a layer of the store',
  'actions/inspect/open-image.ts': 'streams an archive that the caller names, which may be a pipe',
  'actions/release/load-and-name.ts': 'streams a layer of the store',
  'registry/image/compressed-layers.ts': 'streams a layer that gbuild itself compressed; its own notes in the cache',
  'toolchain/build/download.ts': 'streams a package that npm fetched for gbuild, to hash it',
  'fs/process-owner.ts': 'asks the kernel in /proc',
  'fs/writer-mark.ts': 'asks the kernel in /proc',
  'fs/lock-file.ts': "a lock of gbuild's own store",
  'toolchain/build/builder-lock.ts': "a lock of gbuild's own cache",
  'sync/state/sync-state.ts': "a memory of gbuild's own cache",
  'fs/cached-file.ts': "a file of gbuild's own cache",
  'fs/ensure-file.ts': "a file of gbuild's own cache",
  'fs/replace-file.ts': 'opens to write',
  'put/folder-depot.ts': 'opens to write',
  'workspace/commit/check-out.ts': 'opens to write',
  'workspace/commit/compare-commit.ts':
    'hashes files of the workspace that lstat says are regular; neither follows links nor waits',
  'workspace/commit/lfs.ts': 'streams a pointer that gbuild itself checked out',
  'engine/container/probe.ts': 'opens to write',
  'oci/layout/atomic-write.ts': 'opens to write, and what it wrote to flush it',
  'oci/stream/write-hashed.ts': 'opens to write',
  'reporter/log-file.ts': 'opens to write',
  'actions/inspect/write-page.ts': 'opens a page that gbuild made before, to read its first bytes',
  'reporter/ordered.ts': 'opens to write, and reads what it wrote',
  'sync/pull/staging-dir.ts': 'opens to write',
};
