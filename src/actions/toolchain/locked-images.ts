import type { Engine } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { LockedPlatform } from '../../spec/lock/lock-types.ts';
import type { EnsuredImage } from '../../toolchain/image/toolchain-context.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { parseRegistry } from '../session/registry-name.ts';

/**
 * Images that gbuild.lock names for a platform, and the registries that may have them. Asks no registry before an image
 * is wanted.
 */
export interface LockedImages {
  /** Id of the locked image. Undefined where the lock names none, and where images are used as they are. */
  idOf(reference: string): string | undefined;
  /** Fetches the locked image to the engine under its reference. Undefined where no registry has it. */
  fetch(reference: string, stop: Stop): Promise<EnsuredImage | undefined>;
  /** Reasons why the registries did not give an image, one line each. */
  misses: readonly string[];
}

export interface LockedImagesInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
}

/** Finds the lock's entry for a platform. Undefined where the lock does not fit, or lacks the platform. */
export function findLocked({ toolchain, lock }: WorkspaceSession, platform: string): LockedPlatform | undefined {
  const { platforms = {} } = (toolchain.lockState === 'fits' && lock?.toolchain) || {};
  // Engines of 32-bit Arm report `linux/arm` for this platform.
  return platforms[platform] ?? (platform === 'linux/arm/v7' ? platforms['linux/arm'] : undefined);
}

export function openLockedImages(input: LockedImagesInput, locked: LockedPlatform): LockedImages {
  const { session, engine, host, progress } = input;
  const { build, runtime = build, kind } = session.toolchain;
  const ids = new Map(kind === 'image' ? [] : [...pairOf(runtime, locked.runtime), ...pairOf(build, locked.build)]);
  const misses: string[] = [];
  const onMiss = (text: string) => void (misses.includes(text) || misses.push(text));
  const fetch = async (reference: string, stop: Stop) => {
    const id = ids.get(reference);
    if (id === undefined) return undefined;
    if ((await engine.inspectImage(id)) !== undefined) {
      await engine.tagImage(id, reference);
      return { reference, id };
    }
    const registries = listRegistries(input);
    if (registries.length === 0) return undefined;
    const { fetchToolchain } = await import('./fetch.ts');
    const wanted = { reference, id, below: locked.base };
    return fetchToolchain(wanted, { engine, host, progress, stop, registries, onMiss });
  };
  return { idOf: (reference) => ids.get(reference), fetch, misses };
}

function pairOf(reference: string, id: string | undefined): [string, string][] {
  return id === undefined ? [] : [[reference, id]];
}

/** Lists the registries, the lock's first: pushing the toolchain wrote it there. */
export function listRegistries({ session, host }: Pick<LockedImagesInput, 'session' | 'host'>): string[] {
  const named = [session.lock?.toolchain.registry, host.env.GBUILD_REGISTRY, session.spec.registry];
  return [...new Set(named.filter((each) => each !== undefined && each !== '').map((each) => parseRegistry(each!)))];
}
