import { GbuildError } from '../errors.ts';
import type { BaseEntry, Catalog, CatalogEntry } from './catalog.ts';
import type { EntrypointRule, Fact, LayerRule, TaskRule, ToolchainData } from './catalog-schema.ts';
import type { ToolchainFolder } from './folder.ts';
import type { HostFileRule } from './host-files.ts';
import {
  compareLock,
  isSameRequest,
  type LockedToolchain,
  type LockState,
  type ToolchainRequest,
} from './lock-state.ts';
import { byVersion, fillTemplate, type OptionValue, readOptions, withDefaults } from './options.ts';
import { type ResolvedPart, resolveParts } from './parts.ts';
import { recipeDigest, shortRecipe } from './recipe.ts';
import { chooseVersion, isExactVersion, semverOf } from './versions.ts';

export type { ToolchainRequest } from './lock-state.ts';

export interface ToolchainCache {
  name: string;
  /** Absolute path in the container. */
  path: string;
  env: Record<string, string>;
  /** What must hold of a repository that has use for it. */
  when: Fact[];
}

export interface CatalogSource {
  kind: 'catalog';
  entry: CatalogEntry;
  base: BaseEntry;
  /** The Debian suite that both images stand on. */
  suite: string;
  parts: ResolvedPart[];
  args: Record<string, string>;
  /** Debian packages of the runtime's root, the repository's own among them. */
  runtimePackages: string[];
}

/** How the images come about; only ensureToolchain looks inside. */
export type ToolchainSource =
  | CatalogSource
  | { kind: 'image'; reference: string }
  | { kind: 'folder'; folder: ToolchainFolder };

export interface ResolvedToolchain {
  kind: ToolchainRequest['kind'];
  name: string;
  /** As the spec says it. */
  request: string;
  /** Exact; for an image its tag or digest. */
  version: string;
  options: Record<string, OptionValue>;
  recipe: `sha256:${string}`;
  /** Reference of the image to build in. */
  build: string;
  /** Reference of the image to ship on; undefined: the one to build in is shipped on. */
  runtime?: string;
  caches: ToolchainCache[];
  /** For containers that build and test. */
  env: Record<string, string>;
  /** The caller's settings of its tools, for builds and runs. */
  hostFiles: HostFileRule[];
  /** Java keystores in its images, without a leading '/'. */
  keystores: string[];
  /** Default tasks with their conditions: `readDefaults` asks the repository. */
  tasks: Record<string, TaskRule[]>;
  layers: LayerRule[];
  entrypoint: EntrypointRule[];
  origins: Fact[];
  lockState: LockState;
  source: ToolchainSource;
}

export interface ResolveInputs {
  lock?: LockedToolchain | undefined;
  /** Needed for kind 'folder': see readToolchainFolder. */
  folder?: ToolchainFolder | undefined;
}

/**
 * Decides which exact toolchain a request means, and the content-addressed references of its images. Needs neither engine
 * nor network. A lock of the same request decides the version. Throws 'toolchain-unknown' where nothing fits.
 */
export function resolveToolchain(
  request: ToolchainRequest,
  catalog: Catalog,
  { lock, folder }: ResolveInputs = {},
): ResolvedToolchain {
  const obeyed = lock !== undefined && isSameRequest(lock, request) ? lock : undefined;
  const resolved = resolveAnew(request, catalog, obeyed?.version, folder);
  return { ...resolved, lockState: compareLock(lock, obeyed, resolved.recipe) };
}

type Unlocked = Omit<ResolvedToolchain, 'lockState'>;

function resolveAnew(
  request: ToolchainRequest,
  catalog: Catalog,
  version: string | undefined,
  folder: ToolchainFolder | undefined,
): Unlocked {
  if (request.kind === 'catalog') return resolveEntry(request, catalog, version);
  if (request.kind === 'image') return resolveImage(request);
  if (folder === undefined) throw new GbuildError('bug', `the toolchain folder ${request.path} was not read`);
  return resolveFolder(request, folder);
}

function resolveEntry(
  request: Extract<ToolchainRequest, { kind: 'catalog' }>,
  catalog: Catalog,
  lockedVersion: string | undefined,
): Unlocked {
  const entry = catalog.find(request.name);
  if (entry === undefined) throw unknownToolchain(request.name, catalog.names);
  const { data } = entry;
  const base = catalog.base();
  const asked = readOptions(data, request.options);
  const version = lockedVersion ?? chooseVersion(data, request.range, asked);
  if (lockedVersion !== undefined && !isExactVersion(data, lockedVersion)) throw inexactLock(data, lockedVersion);
  const options = withDefaults(data, semverOf(version), asked);
  const suite = chooseSuite(data, version, options);
  const parts = resolveParts(data, version, options);
  const fill = (template: string) => fillTemplate(template, version, options).trim();
  const args = Object.fromEntries(Object.entries(data.args).map(([name, template]) => [name, fill(template)]));
  const packages = Array.isArray(options.packages) ? options.packages : [];
  const runtimePackages = [...data.runtimePackages.map(fill).filter((name) => name !== ''), ...packages].sort();
  const recipe = recipeDigest([...base.files(), ...entry.files()], {
    name: data.name,
    version,
    args,
    base: { suite, reference: suiteReference(data, base, suite) },
    volatile: [...base.data.volatile, ...data.volatile],
    runtimePackages,
    parts: parts.map(({ name, version: of, packages }) => ({ name, version: of, packages })),
  });
  const build = `gbuild/${data.name}:${version}-${shortRecipe(recipe)}`;
  return {
    ...nothingKnown,
    kind: 'catalog',
    name: data.name,
    request: request.request,
    version,
    options: asked,
    recipe,
    build,
    runtime: `${build}-runtime`,
    caches: data.caches,
    env: data.env,
    hostFiles: data.hostFiles,
    keystores: data.keystores,
    tasks: data.tasks,
    layers: data.layers,
    entrypoint: data.entrypoint,
    origins: data.origins,
    source: { kind: 'catalog', entry, base, suite, parts, args, runtimePackages },
  };
}

function resolveImage({ request, reference }: Extract<ToolchainRequest, { kind: 'image' }>): Unlocked {
  const named = /^(?<name>.*?)(?:@(?<digest>[^@/]+)|:(?<tag>[^:/@]+))?$/.exec(reference)?.groups;
  return {
    ...nothingKnown,
    kind: 'image',
    name: named?.name ?? reference,
    request,
    version: named?.digest ?? named?.tag ?? 'latest',
    recipe: recipeDigest([], { image: reference }),
    build: reference,
    source: { kind: 'image', reference },
  };
}

function resolveFolder({ request, path }: { request: string; path: string }, folder: ToolchainFolder): Unlocked {
  const recipe = recipeDigest(folder.files, { folder: true });
  const version = shortRecipe(recipe);
  const name = folderName(path);
  const build = `gbuild/folder-${name}:${version}`;
  return {
    ...nothingKnown,
    kind: 'folder',
    name,
    request,
    version,
    recipe,
    build,
    ...(folder.runtimeTarget === undefined ? {} : { runtime: `${build}-runtime` }),
    source: { kind: 'folder', folder },
  };
}

const nothingKnown = {
  options: {},
  caches: [],
  env: {},
  hostFiles: [],
  keystores: [],
  tasks: {},
  layers: [],
  entrypoint: [],
  origins: [],
};

/** The reference that is pulled for a toolchain's root, where that can be. */
function suiteReference(data: ToolchainData, base: BaseEntry, name: string): string {
  const suite = base.data.suites[name];
  if (suite === undefined) {
    const known = Object.keys(base.data.suites).join(', ');
    throw new GbuildError('toolchain-failed', `toolchain ${data.name}: no base suite "${name}" (known: ${known})`);
  }
  return suite.reference;
}

/** The Debian suite that has what this version, or the option that decides it, needs. */
function chooseSuite(data: ToolchainData, version: string, options: Record<string, OptionValue>): string {
  const by = data.baseBy === undefined ? version : String(options[data.baseBy] ?? version);
  const suite = byVersion(data.base, semverOf(by));
  if (suite !== undefined) return suite;
  throw new GbuildError('toolchain-failed', `toolchain ${data.name}: no base suite is known for ${by}`);
}

function inexactLock({ name, title }: ToolchainData, version: string): GbuildError {
  return new GbuildError(
    'lock-invalid',
    `gbuild.lock: toolchain.version: "${version}" is no exact version of ${title}`,
    {
      suggestions: ['rm gbuild.lock && gbuild lock'],
      facts: { name, version },
    },
  );
}

/** A folder's last name as a repository name may be spelt. */
function folderName(path: string): string {
  const last =
    path
      .split('/')
      .filter((part) => part !== '' && part !== '.' && part !== '..')
      .at(-1) ?? 'root';
  return (
    last
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'root'
  );
}

function unknownToolchain(name: string, names: string[]): GbuildError {
  return new GbuildError('toolchain-unknown', `toolchain: the catalog has no "${name}"; it has ${names.join(', ')}`, {
    suggestions: [
      ...(names[0] === undefined ? [] : [`toolchain: ${names[0]}`]),
      'toolchain: REGISTRY/NAME:TAG takes an image as it is',
      'toolchain: ./FOLDER takes a folder with a Dockerfile',
    ],
    facts: { name, names },
  });
}
