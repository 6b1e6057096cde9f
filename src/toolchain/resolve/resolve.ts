import { GbuildError } from '../../errors.ts';
import type { ToolchainRequest } from '../../spec/types.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ToolchainFolder } from '../catalog/folder.ts';
import { type JreRequest, noJre } from './jre.ts';
import { compareLock, isSameRequest, type LockedResolution } from './lock-state.ts';
import { recipeDigest, shortRecipe } from './recipe.ts';
import { resolveEntry } from './resolve-entry.ts';
import { nothingKnown, type ResolvedToolchain, type Unlocked } from './resolved.ts';

export type { ResolvedToolchain } from './resolved.ts';

export interface ResolveInputs {
  lock?: LockedResolution | undefined;
  /** Required for kind 'folder': see readToolchainFolder. */
  folder?: ToolchainFolder | undefined;
  /** Java runtime that the image requests, where it is not the default one. */
  jre?: JreRequest | undefined;
}

/**
 * Resolves a request to an exact toolchain with content-addressed references of its images. Needs neither engine nor
 * network. A lock of the same request decides the version. Throws 'toolchain-unknown' where nothing fits,
 * 'spec-invalid' where it lacks the options or the Java runtime.
 */
export function resolveToolchain(
  request: ToolchainRequest,
  catalog: Catalog,
  { lock, folder, jre }: ResolveInputs = {},
): ResolvedToolchain {
  const obeyed = lock !== undefined && isSameRequest(lock, request) ? lock : undefined;
  const resolved = resolveAnew(request, catalog, obeyed?.version, { folder, jre });
  return { ...resolved, lockState: compareLock(lock, obeyed, resolved.recipe) };
}

function resolveAnew(
  request: ToolchainRequest,
  catalog: Catalog,
  version: string | undefined,
  { folder, jre }: Pick<ResolveInputs, 'folder' | 'jre'>,
): Unlocked {
  if (request.kind === 'catalog') return resolveEntry(request, catalog, { version, jre });
  if (jre !== undefined) throw noJre(request.request, catalog);
  if (request.kind === 'image') return resolveImage(request);
  if (folder === undefined) throw new GbuildError('bug', `the toolchain folder ${request.path} was not read`);
  return resolveFolder(request, folder);
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

/** Returns a folder's last name, in the spelling of a repository name. */
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
