import type { Engine } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';
import type { ToolchainRequest } from '../../spec/types.ts';
import { type EnsuredToolchain, ensureToolchain } from '../../toolchain/build/ensure.ts';
import { askRepository } from '../../toolchain/detect/asked-version.ts';
import { type ResolvedToolchain, resolveToolchain } from '../../toolchain/resolve/resolve.ts';
import { findRoot } from '../../workspace/root.ts';
import { type CatalogOwner, openCatalog } from '../session/catalogs.ts';
import type { AppContext } from '../session/context.ts';
import { openWorkspace } from '../session/open-repository.ts';

/** Image on an engine that gbuild made. */
export interface ToolchainImage {
  reference: string;
  /** `base` is the image below the others. */
  role: 'build' | 'runtime' | 'base';
  id: string;
  /** Size in bytes, uncompressed. Shared layers count in each image. */
  size: number;
}

const namespace = 'gbuild/';

/** Lists the images of toolchains and their bases on an engine, by name. */
export async function listToolchainImages(engine: Engine): Promise<ToolchainImage[]> {
  const images = await engine.listImages({ reference: `${namespace}*` });
  const named = images.flatMap(({ id, size, tags }) =>
    tags
      .filter((tag) => tag.startsWith(namespace))
      .map((reference): ToolchainImage => ({ reference, role: roleOf(reference), id, size })),
  );
  return named.sort((left, right) => (left.reference < right.reference ? -1 : 1));
}

function roleOf(reference: string): ToolchainImage['role'] {
  if (reference.startsWith(`${namespace}base:`)) return 'base';
  return reference.endsWith('-runtime') ? 'runtime' : 'build';
}

/** Toolchain of a catalog, as listed for people. */
export interface AvailableToolchain {
  name: string;
  title: string;
  /** Versions that every platform has, the newest last. */
  versions: string[];
  default: string;
  options: Record<string, string>;
}

export async function listAvailable(context: AppContext): Promise<AvailableToolchain[]> {
  const catalog = await openCatalog(context, findOwner(context));
  return catalog.names.map((name) => {
    const { data } = catalog.find(name)!;
    const options = Object.entries(data.options).map(([option, { description }]) => [option, description]);
    const versions = Object.values(data.versions)[0] ?? [];
    return { name, title: data.title, versions, default: data.default, options: Object.fromEntries(options) };
  });
}

export interface ToolchainInput extends AppContext {
  engine: Engine;
  stop: Stop;
  /** Toolchain as the spec spells it; undefined for the repository's toolchain. */
  request: ToolchainRequest | undefined;
}

/** Resolves the named toolchain, or the one of the repository around the caller. */
export async function resolveNamed(input: ToolchainInput): Promise<ResolvedToolchain> {
  const { request, host, progress } = input;
  if (request === undefined) return (await openWorkspace(input)).toolchain;
  if (request.kind === 'folder') {
    throw new GbuildError(
      'usage',
      `${request.request} is a folder of a repository: leave it out to mean the repository's`,
      {
        suggestions: ['gbuild toolchain build'],
      },
    );
  }
  const owner = findOwner(input);
  const catalog = await openCatalog(input, owner);
  const asked = askRepository(owner?.rootDir ?? host.cwd, request, catalog);
  for (const note of asked.notes) progress.warn(note);
  return resolveToolchain(asked.request, catalog);
}

/** Finds the repository around the caller, if there is one: its own catalog's toolchains have names too. */
function findOwner({ host }: AppContext): CatalogOwner | undefined {
  try {
    return findRoot(host.cwd, host.homeDir);
  } catch {
    return undefined;
  }
}

/** Implements `gbuild toolchain build`: both images are on the engine afterwards. */
export async function buildToolchain(
  input: ToolchainInput,
): Promise<{ toolchain: ResolvedToolchain; images: EnsuredToolchain }> {
  const { engine, host, progress, stop } = input;
  const toolchain = await resolveNamed(input);
  return { toolchain, images: await ensureToolchain(toolchain, { engine, host, progress, stop, role: 'both' }) };
}

/** Result of `gbuild toolchain inspect`. Facts that only the images hold are missing where the engine lacks them. */
export interface ToolchainDetails {
  name: string;
  version: string;
  request: string;
  recipe: string;
  options: ResolvedToolchain['options'];
  images: { role: 'build' | 'runtime'; reference: string; id?: string; size?: number }[];
  caches: { name: string; path: string }[];
  tools?: Record<string, string>;
  packages?: Record<string, string>;
  runtimePackages?: Record<string, string>;
}

/** Implements `gbuild toolchain inspect`: describes the toolchain and its contents. Makes no image. */
export async function inspectToolchain(input: ToolchainInput): Promise<ToolchainDetails> {
  const { engine, host, progress, stop } = input;
  const toolchain = await resolveNamed(input);
  const { readPackages, readTools } = await import('../../toolchain/image/contents.ts');
  const context = { engine, host, progress, stop };
  const wanted = [
    { role: 'build' as const, reference: toolchain.build },
    ...(toolchain.runtime === undefined ? [] : [{ role: 'runtime' as const, reference: toolchain.runtime }]),
  ];
  const images = await Promise.all(
    wanted.map(async (image) => {
      const found = await engine.inspectImage(image.reference);
      return { ...image, ...(found && { id: found.id, size: found.size }) };
    }),
  );
  const [build, runtime] = images;
  const { name, version, request, recipe, options, caches } = toolchain;
  return {
    name,
    version,
    request,
    recipe,
    options,
    images,
    caches: caches.map((cache) => ({ name: cache.name, path: cache.path })),
    ...(build?.id !== undefined && {
      tools: await readTools(context, build.reference, toolchain.tools),
      packages: await readPackages(context, build.reference),
    }),
    ...(runtime?.id !== undefined && { runtimePackages: await readPackages(context, runtime.reference) }),
  };
}

/**
 * Selects the images that a name means: a reference, a toolchain's name or `name@version`; 'all' selects every one.
 * Throws 'usage' for a name that means none.
 */
export function selectImages(images: ToolchainImage[], names: string[] | 'all'): ToolchainImage[] {
  if (names === 'all') return images;
  const chosen = names.map((name) => {
    const [toolchain, version] = name.split('@');
    const prefix = version === undefined ? `${namespace}${toolchain}:` : `${namespace}${toolchain}:${version}-`;
    const found = images.filter(({ reference }) => reference === name || reference.startsWith(prefix));
    if (found.length > 0) return found;
    throw new GbuildError('usage', `no image of a toolchain is called ${name}`, {
      suggestions: ['gbuild toolchain ls'],
      facts: { name, images: images.map(({ reference }) => reference) },
    });
  });
  return [...new Set(chosen.flat())];
}

/**
 * Implements `gbuild toolchain rm`. An image that a container uses stays, and that is an error. Returns the removed
 * images.
 */
export async function removeToolchainImages(engine: Engine, names: string[] | 'all'): Promise<ToolchainImage[]> {
  const chosen = selectImages(await listToolchainImages(engine), names);
  // Bases last: the other images depend on them.
  const order = [...chosen].sort((left, right) => Number(left.role === 'base') - Number(right.role === 'base'));
  for (const { reference } of order) await engine.removeImage(reference);
  return order;
}
