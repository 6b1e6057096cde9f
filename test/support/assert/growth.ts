/** Less than this is too short to be compared, in milliseconds. */
const shortest = 5;

/**
 * How many times the processor time grows from `size / factor` to `size`: about `factor` for linear work, its square for quadratic
 * work. Other processes on the machine do not change it, for they have processor time of their own.
 */
export function measureGrowth(work: (size: number) => void, size: number, factor: number): number {
  return (
    fastestOf(() => work(size)) /
    Math.max(
      fastestOf(() => work(size / factor)),
      shortest,
    )
  );
}

function fastestOf(work: () => void): number {
  return Math.min(...[1, 2, 3].map(() => timeOf(work)));
}

function timeOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  return process.cpuUsage(before).user / 1000;
}
