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
  /** Globs of ignored paths that go along. */
  include: readonly string[];
  /** Where on the engine is what a `.git` file at this path names; undefined where the file holds there, too. */
  gitLink?: (path: string) => string | undefined;
  /** For a folder of gbuild's own: all in it goes, whatever git ignores. Paths of links that are read as the folders behind them. */
  own?: { links: ReadonlySet<string> };
}

/** This side, and what is remembered of a volume. */
export interface ReadSide {
  memory: SyncMemory;
  remembered: SyncSnapshot;
  /** The file system's time before it was read, milliseconds. */
  clock: number;
}

/** Milliseconds after which what was read early is read again. */
const lifetime = 5_000;

/** The memory is read while git tells what it ignores. */
export async function readSide(
  { host, rootDir, include, gitLink, own }: SideInput,
  memory: SyncMemory,
): Promise<ReadSide> {
  const clock = readClock(memoriesDir(host.cacheDir)).ctimeMs;
  const asked = own === undefined ? readIgnored(rootDir, host.env) : Promise.resolve(new Set<string>());
  asked.catch(() => {
    // Told below.
  });
  const remembered = memory.read();
  await readSources({ rootDir, ignored: await asked, include, clock, remembered, links: own?.links, gitLink });
  return { memory, remembered, clock };
}

/** This side, read while the engine is still asked for other things: with the memory of the volume that was last used from here. */
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
      // Told by whoever takes it; nobody need.
    });
  }

  /** Undefined where nothing was ever sent to that engine from here. */
  static begin(input: SideInput, engineUrl: string): EarlyRead | undefined {
    const memory = SyncMemory.last(input.host.cacheDir, syncKeyOf(input.rootDir, engineUrl));
    return memory && new EarlyRead(input, memory);
  }

  /** Takes what was read with that memory; reads again where it was not, is old, or gbuild itself has made something here since. */
  take(input: SideInput, memory: SyncMemory): Promise<ReadSide> {
    const isFresh = performance.now() - this.#began < lifetime && changeTime(this.#rootDir) === this.#changed;
    return isFresh && memory.isSame(this.#memory) ? this.#read : readSide(input, memory);
  }
}

/** Key of an engine's last memory, for use before the engine has said who it is. */
export function syncKeyOf(rootDir: string, engineUrl: string): string {
  return createHash('sha256').update(`${engineUrl}\n${rootDir}`).digest('hex');
}

/** Change time of a folder itself: it also tells that something came or went in it. */
function changeTime(hostDir: string): number {
  return statSync(hostDir, { throwIfNoEntry: false })?.ctimeMs ?? 0;
}
