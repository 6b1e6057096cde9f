import type { Engine } from '../../../engine/engine.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { nameOfBase } from '../../image/base/read-base.ts';
import type { WorkspaceSession } from '../../session/context.ts';
import type { Release } from '../../store/stored-releases.ts';
import { findLocked } from '../../toolchain/locked-images.ts';

/** Base that a release would have if it were made today. */
export interface CurrentBase {
  reference: string;
  /** Id from the lock, or the engine's id for the reference. */
  engineId: string;
  /** Layers, where the engine has the base. */
  diffIds?: string[];
  /** Debian packages, where the lock lists them. */
  packages?: Record<string, string>;
}

/**
 * Finds the current base: by the lock for the repository's own releases, by the base's name for others. Undefined where
 * neither a lock nor the engine knows it. Throws the engine's failures.
 */
export async function findCurrentBase(
  release: Release,
  { session, engine }: { session: WorkspaceSession | undefined; engine: Engine },
): Promise<CurrentBase | undefined> {
  const reference = nameCurrentBase(release, session);
  if (reference === undefined) return undefined;
  const locked = isOwn(release, session) ? lockedRuntime(session, release.platform) : undefined;
  const found = await engine.inspectImage(locked?.id ?? reference);
  // The engine's image of a name is of the engine's own platform.
  const isOfPlatform = found === undefined || release.platform.split('/')[1] === found.architecture;
  if (locked === undefined && !isOfPlatform) return undefined;
  const engineId = locked?.id ?? found?.id;
  if (engineId === undefined) return undefined;
  return {
    reference,
    engineId,
    ...(found !== undefined && { diffIds: found.diffIds }),
    ...(locked?.packages !== undefined && { packages: locked.packages }),
  };
}

/** Returns the reference of the current base; for another repository's releases it is their recorded base. */
export function nameCurrentBase(release: Release, session: WorkspaceSession | undefined): string | undefined {
  if (!isOwn(release, session)) return release.base?.name;
  const { spec, toolchain } = session;
  return spec.image.base === 'auto' ? (toolchain.runtime ?? toolchain.build) : spec.image.base;
}

function isOwn({ name }: Release, session: WorkspaceSession | undefined): session is WorkspaceSession {
  return session?.spec.name === name;
}

function lockedRuntime(session: WorkspaceSession, platform: string) {
  const { spec } = session;
  const locked = findLocked(session, platform);
  if (spec.image.base !== 'auto' || locked?.runtime === undefined) return undefined;
  return { id: locked.runtime, packages: locked.runtimePackages };
}

/** Returns whether the release is built on this base; undefined where neither store nor engine can tell. */
export async function standsOn(release: Release, current: CurrentBase, store: Layout): Promise<boolean | undefined> {
  const stored = await store.findManifest(nameOfBase(current.engineId));
  if (stored !== undefined && stored.digest === release.base?.digest) return true;
  if (current.diffIds === undefined) return stored === undefined ? undefined : false;
  return stored === undefined && current.diffIds.every((diffId, index) => release.diffIds[index] === diffId);
}
