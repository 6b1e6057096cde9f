import { GbuildError } from '../errors.ts';
import { containerPaths } from '../plan/paths.ts';
import { type CarriedWorkspace, type CarryInput, type SyncReport, withSyncedCopy } from './carry-copy.ts';
import { WayMemory } from './workspace-way.ts';

/** What the work gave; `sync` where the workspace was sent. */
export interface Carried<T> {
  done: T;
  sync?: SyncReport;
}

/**
 * Does the work with the workspace on the engine: bound where the engine sees it, else in a volume, whose changes come back
 * whatever became of the work. A second wish to stop ends the bringing back, too.
 */
export async function withWorkspace<T>(
  input: CarryInput,
  work: (workspace: CarriedWorkspace) => Promise<T>,
): Promise<Carried<T>> {
  const { engine, host, session, image } = input;
  const { rootDir } = session;
  const memory = await WayMemory.open(engine, host, rootDir);
  const known = memory.read();
  const way = known ?? ((await engine.seesFolder(image, rootDir)) ? 'mount' : 'sync');
  if (known !== way) memory.write(way);
  if (way === 'mount') {
    try {
      return { done: await work(boundWorkspace(rootDir)) };
    } catch (thrown) {
      // Thrown before anything runs: the memory was of another time.
      if (!isBlindTo(rootDir, thrown)) throw thrown;
      memory.write('sync');
    }
  }
  return withSyncedCopy(input, work);
}

function boundWorkspace(rootDir: string): CarriedWorkspace {
  const bind = { hostDir: rootDir, containerDir: containerPaths.workspace };
  return { mount: { type: 'bind', ...bind }, probe: bind, isShared: true };
}

function isBlindTo(rootDir: string, thrown: unknown): boolean {
  return thrown instanceof GbuildError && thrown.code === 'engine-blind' && thrown.facts.hostDir === rootDir;
}
