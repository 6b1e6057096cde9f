import type { Engine } from '../../../engine/engine.ts';
import type { Progress } from '../../../reporter/progress.ts';
import { writeLock } from '../../../spec/lock/lock.ts';
import type { EnsuredToolchain } from '../../../toolchain/build/ensure.ts';
import type { WorkspaceSession } from '../../session/context.ts';
import { withoutRemembered } from '../../session/remembered-lock.ts';
import { findLocked } from '../locked-images.ts';

interface Pushed {
  registry: string;
  images: EnsuredToolchain;
  engine: Engine;
  progress: Progress;
}

/**
 * Writes the registry of the images into gbuild.lock, even where it does not have all of them yet. Warns where the
 * pushed images are not the locked ones. Returns whether the lock changed.
 */
export async function nameRegistry(
  session: WorkspaceSession,
  { registry, images, engine, progress }: Pushed,
): Promise<boolean> {
  const { lock, rootDir } = withoutRemembered(session);
  const { platform } = await engine.info();
  const locked = findLocked(session, platform);
  if (lock === undefined || locked === undefined) {
    progress.warn('gbuild.lock does not name these images: "gbuild lock" writes it, then push again');
    return false;
  }
  const { build, runtime = build } = images;
  if (locked.build !== build.id || (locked.runtime ?? locked.build) !== runtime.id) {
    progress.warn(
      `gbuild.lock names other images than ${engine.endpoint.url} has, and colleagues need those of the lock: push from a machine that has them, or "gbuild lock --update" and push again`,
    );
    return false;
  }
  if (lock.toolchain.registry === registry) return false;
  writeLock(rootDir, { ...lock, toolchain: { ...lock.toolchain, registry } });
  progress.note(`gbuild.lock says now that ${registry} has them; commit it`);
  return true;
}
