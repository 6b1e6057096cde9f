/** Size of a task. */
export interface TaskSize {
  /** Units: 1024 are one processor. */
  cpu: number;
  /** MiB. */
  memory: number;
}

/**
 * Sizes that Fargate runs on Linux: units, and MiB from, to, by. Source: Amazon ECS Developer Guide, "Invalid CPU or
 * memory errors"; 256 units take 512, 1024 or 2048 MiB.
 */
const ranges = [
  [256, 512, 1024, 512],
  [256, 2048, 2048, 1024],
  [512, 1024, 4096, 1024],
  [1024, 2048, 8192, 1024],
  [2048, 4096, 16_384, 1024],
  [4096, 8192, 30_720, 1024],
  [8192, 16_384, 61_440, 4096],
  [16_384, 32_768, 122_880, 8192],
] as const;

const sizes: readonly TaskSize[] = ranges.flatMap(([cpu, from, to, by]) =>
  Array.from({ length: (to - from) / by + 1 }, (_, index) => ({ cpu, memory: from + index * by })),
);

/** Finds the least size of Fargate that has both; the largest where none has. Equal to the given one where that is valid. */
export function nearestFargateSize({ cpu, memory }: TaskSize): TaskSize {
  return sizes.find((size) => size.cpu >= cpu && size.memory >= memory) ?? sizes.at(-1)!;
}

/** Parses the units of a task: `256`, `.5 vCPU`. */
export function parseTaskCpu(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const [, count] = /^(\d*\.?\d+)\s*vcpu$/i.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * 1024;
}

/** Parses the memory of a task in MiB: `512`, `1 GB`. */
export function parseTaskMemory(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const [, count] = /^(\d*\.?\d+)\s*gb$/i.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * 1024;
}
