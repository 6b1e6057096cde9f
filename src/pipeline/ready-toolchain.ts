import type { Engine } from '../engine/engine.ts';
import { GbuildError } from '../errors.ts';
import type { Host, Stop } from '../host.ts';
import type { Progress } from '../reporter/progress.ts';
import { writeLock } from '../spec/lock.ts';
import type { Lock } from '../spec/types.ts';
import { type EnsuredToolchain, ensureRuntime, ensureToolchain } from '../toolchain/ensure.ts';
import type { WorkspaceSession } from './workspace-session.ts';

export interface ReadyInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  /** A lock that does not fit is an error and nothing is written: in CI, or when asked for. */
  frozen: boolean;
  /** 'both' also makes sure of the runtime image; so does a lock that is still to be written. */
  role?: 'build' | 'both';
}

export interface ReadyRuntime {
  /** Id on this engine. */
  runtime: string | undefined;
  platform: string;
}

export interface ReadyToolchain {
  images: EnsuredToolchain;
  lock: Lock;
  platform: string;
}

/**
 * Makes sure that the toolchain's images are on the engine and that gbuild.lock says which ones: written the first time,
 * obeyed afterwards, extended when this platform is not in it yet.
 */
export async function readyToolchain(input: ReadyInput): Promise<ReadyToolchain> {
  const { session, engine, host, progress, stop } = input;
  assertLockFits(input);
  const { platform } = await engine.info();
  const { toolchain } = session;
  const locked = toolchain.lockState === 'fits' ? session.lock?.toolchain.platforms[platform] : undefined;
  const role = locked === undefined ? 'both' : (input.role ?? 'build');
  const rim = { engine, host, progress, stop };
  const images = await ensureToolchain(toolchain, { ...rim, role });
  if (locked !== undefined) return { images, lock: session.lock!, platform };
  const lock = lockOf(session, platform, images);
  if (input.frozen) return { images, lock, platform };
  try {
    writeLock(session.rootDir, lock);
    progress.note(`${toolchain.request} is ${toolchain.name} ${toolchain.version}: written to gbuild.lock; commit it`);
  } catch (error) {
    progress.warn(`gbuild.lock could not be written, the next run may choose differently: ${(error as Error).message}`);
  }
  return { images, lock, platform };
}

/** The image to ship on alone, for packing what is there already: its id on this engine, and the platform. */
export async function readyRuntime(input: ReadyInput): Promise<ReadyRuntime> {
  const { session, engine, host, progress, stop } = input;
  const { platform } = await engine.info();
  if (session.toolchain.lockState !== 'fits' || session.lock?.toolchain.platforms[platform] === undefined) {
    const { images } = await readyToolchain(input);
    return { runtime: images.locked.runtime, platform };
  }
  return { runtime: (await ensureRuntime(session.toolchain, { engine, host, progress, stop })).id, platform };
}

/** A lock for another request must not be replaced behind a CI's back, nor a changed recipe be taken silently. */
function assertLockFits({ session, frozen, progress }: ReadyInput): void {
  const { toolchain, lock } = session;
  if (toolchain.lockState === 'fits' || toolchain.lockState === 'none') return;
  const what =
    toolchain.lockState === 'request-changed'
      ? `gbuild.lock is for "${lock?.toolchain.request}", the spec asks for "${toolchain.request}"`
      : `gbuild.lock was written for another recipe of ${toolchain.name} ${toolchain.version}`;
  if (!frozen) {
    progress.note(`${what}: locking anew`);
    return;
  }
  throw new GbuildError('lock-stale', `${session.rootDir}/gbuild.lock: ${what}`, {
    suggestions: ['gbuild lock && git add gbuild.lock && git commit'],
    facts: { lockState: toolchain.lockState, request: toolchain.request },
  });
}

function lockOf({ toolchain, lock }: WorkspaceSession, platform: string, images: EnsuredToolchain): Lock {
  const kept = toolchain.lockState === 'fits' ? (lock?.toolchain.platforms ?? {}) : {};
  return {
    lock: 1,
    toolchain: {
      request: toolchain.request,
      name: toolchain.name,
      version: toolchain.version,
      ...(Object.keys(toolchain.options).length > 0 && { options: toolchain.options }),
      recipe: toolchain.recipe,
      platforms: { ...kept, [platform]: images.locked },
    },
  };
}
