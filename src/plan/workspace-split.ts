import { createHash } from 'node:crypto';

interface SizedPath {
  path: string;
  /** Size in bytes. */
  size: number;
}

/** Limits for splitting one kind of files: bytes for each group, and the number of groups. */
interface Cut {
  target: number;
  most: number;
}

/** git never rewrites its objects, and rewrites its other files at every commit; files that people edit come last. */
const cuts: [isOne: (path: string) => boolean, cut: Cut][] = [
  [(path) => /^\.git\/(?:.*\/)?objects\//.test(path), { target: 8 << 20, most: 8 }],
  [(path) => path.startsWith('.git/'), { target: Number.POSITIVE_INFINITY, most: 1 }],
  [() => true, { target: 2 << 20, most: 32 }],
];

/**
 * Splits a workspace into groups so that an edit changes one small group. A path stays in its group whatever its
 * content, and moves only when all of its kind double or halve. Returns non-empty groups, sorted; at most 41.
 */
export function splitWorkspace(files: readonly SizedPath[]): string[][] {
  const kinds = cuts.map((): SizedPath[] => []);
  for (const file of files) kinds[cuts.findIndex(([isOne]) => isOne(file.path))]!.push(file);
  return kinds.flatMap((kind, at) => intoGroups(kind, cuts[at]![1]));
}

function intoGroups(files: SizedPath[], { target, most }: Cut): string[][] {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  let count = 1;
  while (count < most && bytes / count > target) count *= 2;
  const groups = Array.from({ length: count }, (): string[] => []);
  for (const { path } of files) groups[groupOf(path, count)]!.push(path);
  return groups.filter((group) => group.length > 0).map((group) => group.sort());
}

function groupOf(path: string, count: number): number {
  return count === 1 ? 0 : createHash('sha256').update(path).digest().readUInt32BE(0) % count;
}
