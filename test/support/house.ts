/** Files that every room may import, besides those of fs/. */
export const sharedFiles: readonly string[] = ['errors.ts', 'escape.ts', 'host.ts'];

/** Which rooms a room of src/ may import from, besides itself, the shared files and fs/. ARCHITECTURE.md shows this table. */
export const allowedImports: Record<string, string[]> = {
  main: ['commands', 'spec'],
  commands: ['pipeline', 'engine', 'reporter', 'spec'],
  pipeline: [
    'plan',
    'engine',
    'workspace',
    'toolchain',
    'spec',
    'reporter',
    'registry',
    'inspect',
    'attest',
    'secrets',
    'sync',
    'report',
    'oci',
  ],
  sync: ['engine', 'workspace', 'oci'],
  plan: ['spec', 'toolchain', 'workspace', 'oci'],
  toolchain: ['engine', 'oci', 'reporter', 'spec'],
  engine: ['oci'],
  registry: ['oci'],
  workspace: ['oci'],
  spec: ['oci'],
  secrets: ['spec', 'attest', 'oci'],
  report: [],
  reporter: [],
  inspect: ['attest', 'reporter', 'oci'],
  attest: ['oci'],
  oci: [],
  fs: [],
};

/** Packages that belong to one room. */
export const packageOwners: Record<string, string> = {
  dockerode: 'engine',
  '@oclif/core': 'commands',
  listr2: 'reporter',
  '@noble/ciphers': 'attest',
  'spdx-expression-parse': 'attest',
  sax: 'report',
};
