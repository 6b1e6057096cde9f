/** Time in milliseconds below which a measurement is too short for a comparison. */
const shortest = 5;

/**
 * Measures how many times the processor time grows from `size / factor` to `size`: about `factor` for linear work, its
 * square for quadratic work. Other processes on the machine do not affect it, because they have their own processor
 * time.
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
