/** One part of a run's work. */
export interface Shard {
  /** From 1. */
  number: number;
  of: number;
  /** By task: those of its test files that are this part's, sorted. Tasks that do not say which they have are not in it. */
  files: Readonly<Record<string, readonly string[]>>;
}

/** All the work as one part, of which nobody has asked what files there are. */
export const wholeRun: Shard = { number: 1, of: 1, files: {} };

/** The test files of one task. */
export interface TaskFiles {
  task: string;
  /** Paths in the workspace. */
  files: readonly string[];
  /** How long each took the last time, as far as that is known. */
  seconds: ReadonlyMap<string, number>;
}

/** The parts of a run: where tasks say which test files they have, each part has its share of them by the time they take. */
export function planShards(count: number, tasks: readonly TaskFiles[]): Shard[] {
  const shares = tasks.map(({ task, files, seconds }) => [task, splitFiles(count, files, seconds)] as const);
  return Array.from({ length: count }, (_, at) => ({
    number: at + 1,
    of: count,
    files: Object.fromEntries(shares.map(([task, parts]) => [task, parts[at]!])),
  }));
}

/**
 * Longest first, each to the part with the least to do: at most a third worse than the best there is (Graham, 1969). Of a file
 * that nobody has timed it is assumed that it takes as long as the others do on average.
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

/** Compares parts by time, then by files: where files take no time every part gets as many. */
function isLess(left: { time: number; files: string[] }, right: { time: number; files: string[] }): boolean {
  return left.time === right.time ? left.files.length < right.files.length : left.time < right.time;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
