import type { Engine, EngineImage } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { Lock, LockedPlatform } from '../../spec/lock/lock-types.ts';
import type { EnsuredImage, EnsuredToolchain, ToolchainContext } from '../../toolchain/build/ensure.ts';
import { readImageId } from '../../toolchain/image/image-id.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { assertLockFits, type Frozen } from './assert-lock-fits.ts';
import { findLocked, type LockedImages, openLockedImages } from './locked-images.ts';

export interface EnsureReadyInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  frozen: Frozen;
  /** Replaces an image on the engine that is not the locked one, where a registry has the locked image. */
  exact?: boolean;
  /** The caller asked for the lock: a lock that cannot be written is a failure, not a warning. */
  isLockAsked?: boolean;
}

export interface ReadyRuntime {
  /** Digest of the runtime image's config. */
  runtime: string | undefined;
  platform: string;
  /** Reasons why the image is not the locked one: the answers of the registries that were asked. */
  misses: readonly string[];
  /** Session with the lock that was written, if one was. */
  session: WorkspaceSession;
}

export interface ReadyToolchain {
  images: Pick<EnsuredToolchain, 'build'>;
  lock: Lock;
}

/**
 * Ensures that the toolchain's images are on the engine and that gbuild.lock names them. The lock is written the first
 * time, followed afterwards, and extended for a platform that it lacks.
 */
export async function ensureToolchainReady(input: EnsureReadyInput): Promise<ReadyToolchain> {
  const { session, engine } = input;
  const { toolchain } = session;
  await assertLockFits(input);
  const [{ platform }, found] = await Promise.all([engine.info(), engine.inspectImage(toolchain.build)]);
  const locked = findLocked(session, platform);
  if (locked === undefined) return lockAnew(input);
  const source = openLockedImages(input, locked);
  const build = await settle(input, source, found, toolchain.build, async (context) => {
    const { ensureToolchain } = await import('../../toolchain/build/ensure.ts');
    return (await ensureToolchain(toolchain, { ...context, role: 'build' })).build;
  });
  const isRemembered = session.rememberedIn !== undefined;
  if (isRemembered && build.id !== locked.build) return lockAnew(input);
  if (isRemembered && input.isLockAsked) {
    const { keepLock } = await import('./make-lock.ts');
    await keepLock(input, session.lock!);
  }
  await sayWhatMoved(input, locked, build);
  return { images: { build }, lock: session.lock! };
}

async function lockAnew(input: EnsureReadyInput) {
  const { keepLock, makeLock } = await import('./make-lock.ts');
  const made = await makeLock(input, input.session.lock);
  await keepLock(input, made.lock);
  return made;
}

/** The image is usually on the engine: this case loads no code that makes a toolchain. */
async function settle(
  { engine, host, progress, stop, exact = false }: EnsureReadyInput,
  source: LockedImages,
  found: EngineImage | undefined,
  reference: string,
  make: (context: ToolchainContext) => Promise<EnsuredImage>,
): Promise<EnsuredImage> {
  const context = { engine, host, progress, stop, fetchLocked: source.fetch };
  if (found === undefined) return make(context);
  const known = { reference, id: await readImageId(context, found) };
  const wanted = source.idOf(reference);
  if (!exact || wanted === undefined || wanted === known.id) return known;
  const { exchangeForLocked } = await import('../../toolchain/build/ensure.ts');
  return exchangeForLocked(context, known);
}

/** Reports the differences of a build image that is not the locked one. The run continues with it. */
async function sayWhatMoved(
  { session, engine, host, progress, stop }: EnsureReadyInput,
  locked: LockedPlatform,
  build: EnsuredImage,
): Promise<void> {
  if (build.id === locked.build || locked.packages === undefined) return;
  const { describeChanges, packagesDigest, readPackages, readTools } = await import(
    '../../toolchain/image/contents.ts'
  );
  const context = { engine, host, progress, stop };
  const { tools: commands, name, version } = session.toolchain;
  const packages = await readPackages(context, build.reference);
  if (packagesDigest(packages) === locked.packages) return;
  const changes = describeChanges(locked.tools ?? {}, await readTools(context, build.reference, commands));
  const what = changes.length > 0 ? changes.join(', ') : 'Debian packages, none of its own tools';
  progress.warn(
    `${name} ${version} is not the one of gbuild.lock: packages have changed since (${what}); "gbuild lock --update" takes them`,
  );
}

/**
 * Returns the runtime image alone, for packing outputs that are already built: its id on this engine, and the platform.
 */
export async function readyRuntime(input: EnsureReadyInput): Promise<ReadyRuntime> {
  const { session, engine } = input;
  const { build, runtime = build } = session.toolchain;
  await assertLockFits(input);
  const [{ platform }, found] = await Promise.all([engine.info(), engine.inspectImage(runtime)]);
  const locked = findLocked(session, platform);
  if (locked === undefined) {
    const { images, lock } = await lockAnew(input);
    const fitting = { ...session, lock, toolchain: { ...session.toolchain, lockState: 'fits' as const } };
    return { runtime: images.locked.runtime, platform, misses: [], session: fitting };
  }
  const source = openLockedImages(input, locked);
  const { id } = await settle(input, source, found, runtime, async (context) => {
    const { ensureRuntime } = await import('../../toolchain/build/ensure.ts');
    return ensureRuntime(session.toolchain, context);
  });
  return { runtime: id, platform, misses: source.misses, session };
}
