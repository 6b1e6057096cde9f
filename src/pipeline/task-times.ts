import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host } from '../host.ts';
import { readFileClock } from './file-clock.ts';

/** From and until, in nanoseconds of the file system's clock. */
type Span = [begin: bigint, end: bigint];

/** An output that is older than this many runs, and was written by none of them, counts as somebody else's. */
const most = 2000;

/** Clocks of file systems tick, and those of network file systems are another machine's. */
const margin = 1_000_000_000n;

/**
 * Remembers when tasks ran in a workspace: what changed meanwhile is theirs. This costs a run two looks at a clock; comparing what git
 * ignores before and after would cost it two walks.
 */
export class TaskTimes {
  readonly #file: string;

  constructor({ cacheDir }: Pick<Host, 'cacheDir'>, rootDir: string) {
    const key = createHash('sha256').update(rootDir).digest('hex');
    this.#file = join(cacheDir, 'task-times', `${key}.json`);
  }

  /** Times the work; a memory that cannot be kept fails no run. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    const begin = this.#readClock();
    try {
      return await work();
    } finally {
      const end = this.#readClock();
      if (begin !== undefined && end !== undefined) this.#write([...this.#read(), [begin, end]]);
    }
  }

  /** Tells whether a file or folder, by its path on this machine, was last changed while tasks ran. */
  finder(): (hostPath: string) => boolean {
    const spans = this.#read();
    return (hostPath) => {
      const changed = lstatSync(hostPath, { bigint: true, throwIfNoEntry: false })?.ctimeNs;
      return changed !== undefined && spans.some(([begin, end]) => changed >= begin && changed <= end + margin);
    };
  }

  #readClock(): bigint | undefined {
    try {
      return readFileClock(this.#file);
    } catch {
      return undefined;
    }
  }

  #read(): Span[] {
    try {
      const spans = JSON.parse(readFileSync(this.#file, 'utf8')) as [string, string][];
      return spans.map(([begin, end]) => [BigInt(begin), BigInt(end)]);
    } catch {
      return [];
    }
  }

  #write(spans: Span[]): void {
    const temporary = `${this.#file}.${process.pid}`;
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      writeFileSync(temporary, JSON.stringify(spans.slice(-most).map((span) => span.map(String))));
      renameSync(temporary, this.#file);
    } catch {
      rmSync(temporary, { force: true });
    }
  }
}
