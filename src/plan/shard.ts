/** Part of a run's work. */
export interface Shard {
  /** Number, from 1. */
  number: number;
  of: number;
  /** Test files of this part by task, sorted. Tasks without declared test files are missing. */
  files: Readonly<Record<string, readonly string[]>>;
}

/** All work as one part, without a search for test files. */
export const wholeRun: Shard = { number: 1, of: 1, files: {} };

/** Test files of one task. */
export interface TaskFiles {
  task: string;
  /** Paths in the workspace. */
  files: readonly string[];
  /** Seconds that each took the last time, where known. */
  seconds: ReadonlyMap<string, number>;
}

/** Plans the parts of a run: each part gets its share of the declared test files, by the time they take. */
export function planShards(count: number, tasks: readonly TaskFiles[]): Shard[] {
  const shares = tasks.map(({ task, files, seconds }) => [task, splitFiles(count, files, seconds)] as const);
  return Array.from({ length: count }, (_, at) => ({
    number: at + 1,
    of: count,
    files: Object.fromEntries(shares.map(([task, parts]) => [task, parts[at]!])),
  }));
}

/**
 * Splits the files, longest first, each to the part with the least work: at most a third worse than the optimum
 * (Graham, 1969). A file without a known time counts with the average of the others.
 */
function splitFiles(count: number, files: readonly string[], seconds: ReadonlyMap<string, number>): string[][] {
  const known = files.flatMap((file) => seconds.get(file) ?? []);
  const sum = known.reduce((total, each) => total + each, 0);
  const average = sum > 0 ? sum / known.length : 1;
  const timed = files.map((file) => ({ file, time: seconds.get(file) ?? average }));
  timed.sort((left, right) => right.time - left.time || compareText(left.file, right.file));
  const parts = Array.from({ length: count }, () => ({ time: 0, files: [] as string[] }));
  for (const { file, time } of timed) {
    const least = parts.reduce((best, part) => (isLess(part, best) ? part : best));
    least.time += time;
    least.files.push(file);
  }
  return parts.map((part) => part.files.sort(compareText));
}

/** Compares parts by time, then by the number of files: where files take no time every part gets as many. */
function isLess(left: { time: number; files: string[] }, right: { time: number; files: string[] }): boolean {
  return left.time === right.time ? left.files.length < right.files.length : left.time < right.time;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
