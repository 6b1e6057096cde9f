import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readClock } from '../../fs/clock.ts';
import type { Host } from '../../host.ts';
import { readIgnored } from '../../workspace/git/ignored.ts';
import { memoriesDir } from '../state/memory-files.ts';
import type { SyncSnapshot } from '../state/sync-snapshot.ts';
import { SyncMemory } from '../state/sync-state.ts';
import { readSources } from './read-local.ts';

export interface SideInput {
  host: Host;
  rootDir: string;
  /** Globs of ignored paths that are sent. */
  include: readonly string[];
  /**
   * Returns the path on the engine that a `.git` file at this path means; undefined where the file is right there too.
   */
  gitLink?: (path: string) => string | undefined;
  /**
   * For a folder that gbuild made: everything in it is sent, even what git ignores. `links` are read as the folders
   * behind them.
   */
  own?: { links: ReadonlySet<string> };
}

/** This side's state, and the records of a volume. */
export interface ReadSide {
  memory: SyncMemory;
  remembered: SyncSnapshot;
  /** Time of the file system before the read, in milliseconds. */
  clock: number;
}

/** Milliseconds after which an early read is repeated. */
const lifetime = 5_000;

/** Reads this side; the record is read while git lists what it ignores. */
export async function readSide(
  { host, rootDir, include, gitLink, own }: SideInput,
  memory: SyncMemory,
): Promise<ReadSide> {
  const clock = readClock(memoriesDir(host.cacheDir)).ctimeMs;
  const asked = own === undefined ? readIgnored(rootDir, host.env) : Promise.resolve(new Set<string>());
  asked.catch(() => {
    // The failure is thrown below.
  });
  const remembered = memory.read();
  await readSources({ rootDir, ignored: await asked, include, clock, remembered, links: own?.links, gitLink });
  return { memory, remembered, clock };
}

/**
 * Early read of this side, while the engine answers its first requests: with the record of the volume that was last
 * used from here.
 */
export class EarlyRead {
  readonly #memory: SyncMemory;
  readonly #rootDir: string;
  readonly #began = performance.now();
  readonly #changed: number;
  readonly #read: Promise<ReadSide>;

  private constructor(input: SideInput, memory: SyncMemory) {
    this.#memory = memory;
    this.#rootDir = input.rootDir;
    this.#changed = changeTime(input.rootDir);
    this.#read = readSide(input, memory);
    this.#read.catch(() => {
      // The failure is thrown where the result is taken, if ever.
    });
  }

  /** Begins the read; undefined where nothing was ever sent to that engine from here. */
  static begin(input: SideInput, engineUrl: string): EarlyRead | undefined {
    const memory = SyncMemory.last(input.host.cacheDir, syncKeyOf(input.rootDir, engineUrl));
    return memory && new EarlyRead(input, memory);
  }

  /**
   * Returns the early read if it used that record. Reads again if it did not, is old, or if gbuild itself has made
   * something here since.
   */
  take(input: SideInput, memory: SyncMemory): Promise<ReadSide> {
    const isFresh = performance.now() - this.#began < lifetime && changeTime(this.#rootDir) === this.#changed;
    return isFresh && memory.isSame(this.#memory) ? this.#read : readSide(input, memory);
  }
}

/** Returns the key of an engine's last record, for use before the engine's id is known. */
export function syncKeyOf(rootDir: string, engineUrl: string): string {
  return createHash('sha256').update(`${engineUrl}\n${rootDir}`).digest('hex');
}

/** Returns the change time of a folder itself: it also changes when something in it comes or goes. */
function changeTime(hostDir: string): number {
  return statSync(hostDir, { throwIfNoEntry: false })?.ctimeMs ?? 0;
}
