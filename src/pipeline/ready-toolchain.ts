import type { Engine } from '../engine/engine.ts';
import { GbuildError } from '../errors.ts';
import type { Host, Stop } from '../host.ts';
import type { Progress } from '../reporter/progress.ts';
import type { Lock } from '../spec/types.ts';
import type { EnsuredToolchain } from '../toolchain/ensure.ts';
import type { ResolvedToolchain } from '../toolchain/resolve.ts';
import type { WorkspaceSession } from './workspace-session.ts';

/**
 * What may happen to gbuild.lock: 'never' frozen, it follows the spec; 'if-locked' (CI), a lock that does not fit is an
 * error, a missing one is written; 'always', a missing one is an error too.
 */
export type Frozen = 'never' | 'if-locked' | 'always';

export interface ReadyInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  frozen: Frozen;
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
  const { session, engine, progress } = input;
  assertLockFits(input);
  const [{ platform }, found] = await Promise.all([engine.info(), findBuild(input)]);
  const { toolchain } = session;
  const locked = toolchain.lockState === 'fits' ? session.lock?.toolchain.platforms[platform] : undefined;
  const role = locked === undefined ? 'both' : (input.role ?? 'build');
  const images = (role === 'build' ? found : undefined) ?? (await ensureImages(input, role));
  if (locked !== undefined) return { images, lock: session.lock!, platform };
  const lock = lockOf(session, platform, images);
  try {
    const { writeLock } = await import('../spec/lock.ts');
    writeLock(session.rootDir, lock);
    progress.note(`${toolchain.request} is ${toolchain.name} ${toolchain.version}: written to gbuild.lock; commit it`);
  } catch (error) {
    progress.warn(`gbuild.lock could not be written, the next run may choose differently: ${(error as Error).message}`);
  }
  return { images, lock, platform };
}

/** The usual case, without loading what it takes to make a toolchain: the image is on the engine. */
async function findBuild({ session, engine }: ReadyInput): Promise<EnsuredToolchain | undefined> {
  const reference = session.toolchain.build;
  const found = await engine.inspectImage(reference);
  return found && { build: { reference, id: found.id }, locked: { build: found.id } };
}

async function ensureImages(input: ReadyInput, role: 'build' | 'both'): Promise<EnsuredToolchain> {
  const { ensureToolchain } = await import('../toolchain/ensure.ts');
  return ensureToolchain(input.session.toolchain, { ...rimOf(input), role });
}

function rimOf({ engine, host, progress, stop }: ReadyInput) {
  return { engine, host, progress, stop };
}

/** The image to ship on alone, for packing what is there already: its id on this engine, and the platform. */
export async function readyRuntime(input: ReadyInput): Promise<ReadyRuntime> {
  const { session, engine } = input;
  const { platform } = await engine.info();
  if (session.toolchain.lockState !== 'fits' || session.lock?.toolchain.platforms[platform] === undefined) {
    const { images } = await readyToolchain(input);
    return { runtime: images.locked.runtime, platform };
  }
  const { build, runtime = build } = session.toolchain;
  const found = await engine.inspectImage(runtime);
  if (found !== undefined) return { runtime: found.id, platform };
  const { ensureRuntime } = await import('../toolchain/ensure.ts');
  return { runtime: (await ensureRuntime(session.toolchain, rimOf(input))).id, platform };
}

/** A lock for another request must not be replaced behind a CI's back, nor a changed recipe be taken silently. */
function assertLockFits({ session, frozen, progress }: ReadyInput): void {
  const { toolchain, lock, rootDir } = session;
  if (toolchain.lockState === 'fits' || (toolchain.lockState === 'none' && frozen !== 'always')) return;
  const what = describeMismatch(toolchain, lock);
  if (frozen === 'never') {
    progress.note(`${what}: locking anew`);
    return;
  }
  throw new GbuildError('lock-stale', `${rootDir}/gbuild.lock: ${what}`, {
    suggestions: ['gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain"'],
    facts: { lockState: toolchain.lockState, request: toolchain.request },
  });
}

/** Why a lock does not fit, for a person. */
export function describeMismatch(
  { lockState, request, name, version }: ResolvedToolchain,
  lock: Lock | undefined,
): string {
  if (lockState === 'none') return 'it is not there';
  if (lockState === 'recipe-changed') return `it was written for another recipe of ${name} ${version}`;
  return `it is for "${lock?.toolchain.request}", the spec asks for "${request}"`;
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
