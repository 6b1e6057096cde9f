import { rmSync } from 'node:fs';
import type { Engine } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { Lock, LockedPlatform } from '../../spec/lock/lock-types.ts';
import type { EnsuredToolchain } from '../../toolchain/build/ensure.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { rememberLock } from '../session/remembered-lock.ts';

export interface MakeLockInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  /** Roles of images to make again from today's packages. */
  renewed?: Set<string>;
}

export interface MadeLock {
  images: EnsuredToolchain;
  lock: Lock;
  platform: string;
}

/**
 * Ensures that both images exist and describes them as a lock that is not written yet. `before` is the lock that it
 * replaces.
 */
export async function makeLock(input: MakeLockInput, before: Lock | undefined): Promise<MadeLock> {
  const { session, engine, host, progress, stop, renewed } = input;
  const [{ platform }, { ensureToolchain }] = await Promise.all([
    engine.info(),
    import('../../toolchain/build/ensure.ts'),
  ]);
  const context = { engine, host, progress, stop, renewed };
  const images = await ensureToolchain(session.toolchain, { ...context, role: 'both' });
  const locked = { ...images.locked, ...(await readContents(input, images)) };
  return { images, lock: composeLock(session, platform, locked, before), platform };
}

/**
 * Writes the lock into the repository. It is written outside where the repository has no gbuild file and the caller did
 * not ask for a lock. A lock that cannot be written is a warning in a run, and a failure where the caller asked for the
 * lock.
 */
export async function keepLock(
  { session, progress, isLockAsked = false }: Pick<MakeLockInput, 'session' | 'progress'> & { isLockAsked?: boolean },
  lock: Lock,
): Promise<void> {
  const { request, name, version } = lock.toolchain;
  try {
    if (session.rememberedIn !== undefined && !isLockAsked) {
      await rememberLock(session.rememberedIn, lock);
      progress.note(`${request} is ${name} ${version}: remembered for this folder; "gbuild lock" writes it down`);
      return;
    }
    const { writeLock } = await import('../../spec/lock/lock.ts');
    writeLock(session.rootDir, lock);
    if (session.rememberedIn !== undefined) rmSync(session.rememberedIn, { recursive: true, force: true });
    progress.note(`${request} is ${name} ${version}: written to gbuild.lock; commit it`);
  } catch (error) {
    if (isLockAsked) throw error;
    progress.warn(`gbuild.lock could not be written, the next run may choose differently: ${(error as Error).message}`);
  }
}

/** Reads the contents of the images for the lock: a colleague's images may differ in them. */
async function readContents(
  { session, engine, host, progress, stop }: MakeLockInput,
  { build, runtime }: EnsuredToolchain,
): Promise<Partial<LockedPlatform>> {
  const { packagesDigest, readPackages, readTools } = await import('../../toolchain/image/contents.ts');
  const context = { engine, host, progress, stop };
  const { tools: commands, runtime: hasRuntime } = session.toolchain;
  const [packages, runtimePackages, tools] = await Promise.all([
    readPackages(context, build.reference),
    hasRuntime === undefined || runtime === undefined ? {} : readPackages(context, runtime.reference),
    readTools(context, build.reference, commands),
  ]);
  return {
    ...(Object.keys(tools).length > 0 && { tools }),
    ...(Object.keys(packages).length > 0 && { packages: packagesDigest(packages) }),
    ...(Object.keys(runtimePackages).length > 0 && { runtimePackages }),
  };
}

/**
 * Composes the lock. Other platforms stay while their recipe is the same, also in a renewed lock; so does the registry.
 */
export function composeLock(
  { toolchain }: Pick<WorkspaceSession, 'toolchain'>,
  platform: string,
  locked: LockedPlatform,
  before: Lock | undefined,
): Lock {
  const { registry, recipe, platforms = {} } = before?.toolchain ?? {};
  const kept = recipe === toolchain.recipe ? platforms : {};
  return {
    lock: 1,
    toolchain: {
      request: toolchain.request,
      name: toolchain.name,
      version: toolchain.version,
      ...(Object.keys(toolchain.options).length > 0 && { options: toolchain.options }),
      recipe: toolchain.recipe,
      ...(registry !== undefined && { registry }),
      platforms: { ...kept, [platform]: locked },
    },
  };
}
