import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCached, writeCached } from '../../fs/cached-file.ts';
import { readClock } from '../../fs/clock.ts';
import { removeOldest } from '../../fs/remove-oldest.ts';
import type { Host } from '../../host.ts';

const folderName = 'task-times';
const format = 'task-times 1';

/** Start and end, in nanoseconds of the file system's clock. */
type Span = [begin: bigint, end: bigint];

/** Number of runs to remember. An output that is older counts as somebody else's. */
const most = 2000;

/** Two ticks of a file system's clock, in nanoseconds. */
const margin = 20_000_000n;

/** Number of workspaces to remember, by their last run. */
const mostKept = 200;

/**
 * Records when tasks ran in a workspace: files that changed meanwhile belong to them. This costs a run two reads of a
 * clock. Comparing git's ignored files before and after would cost it two walks.
 */
export class TaskTimes {
  readonly #file: string;

  constructor({ cacheDir }: Pick<Host, 'cacheDir'>, rootDir: string) {
    const key = createHash('sha256').update(rootDir).digest('hex');
    this.#file = join(cacheDir, folderName, `${key}.json`);
  }

  /** Removes workspaces without recent tasks: a release's own checkout is short-lived. */
  static prune({ cacheDir }: Pick<Host, 'cacheDir'>): Promise<void> {
    return removeOldest(join(cacheDir, folderName), mostKept);
  }

  /** Times the work; a record that cannot be written fails no run. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    const begin = this.#readClock();
    try {
      return await work();
    } finally {
      const end = this.#readClock();
      if (begin !== undefined && end !== undefined) this.#write([...this.#read(), [begin, end]]);
    }
  }

  /**
   * Returns a function that tells whether a file or folder, by its path on this machine, was last changed while tasks
   * ran.
   */
  finder(): (hostPath: string) => boolean {
    const spans = this.#read();
    return (hostPath) => {
      const changed = lstatSync(hostPath, { bigint: true, throwIfNoEntry: false })?.ctimeNs;
      return changed !== undefined && spans.some(([begin, end]) => changed >= begin && changed <= end + margin);
    };
  }

  #readClock(): bigint | undefined {
    try {
      return readClock(dirname(this.#file)).ctimeNs;
    } catch {
      return undefined;
    }
  }

  #read(): Span[] {
    const text = readCached(this.#file, format);
    return text === undefined
      ? []
      : (JSON.parse(text) as [string, string][]).map(([begin, end]) => [BigInt(begin), BigInt(end)]);
  }

  #write(spans: Span[]): void {
    writeCached(this.#file, format, JSON.stringify(spans.slice(-most).map((span) => span.map(String))));
  }
}
