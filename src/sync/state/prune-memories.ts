import { readdir, rm, stat } from 'node:fs/promises';
import { memoriesDir } from './memory-files.ts';

const mostKept = 100;

/**
 * Keeps the record files that were used last, and removes the rest. A workspace of a hundred thousand files leaves
 * fifteen megabytes, and may never be used again.
 */
export async function pruneMemories(cacheDir: string): Promise<void> {
  const dir = memoriesDir(cacheDir);
  const names = await readdir(dir).catch(() => []);
  if (names.length <= mostKept) return;
  const used = new Map<string, number>();
  for (const name of names) {
    const at = await stat(`${dir}/${name}`).catch(() => undefined);
    used.set(keyOf(name), Math.max(used.get(keyOf(name)) ?? 0, at?.mtimeMs ?? 0));
  }
  const kept = new Set(
    [...used]
      .sort(([, left], [, right]) => right - left)
      .slice(0, mostKept)
      .map(([key]) => key),
  );
  const old = names.filter((name) => !kept.has(keyOf(name)));
  await Promise.allSettled(old.map((name) => rm(`${dir}/${name}`, { force: true })));
}

/** Returns the common prefix of a record file and its clean marker. */
function keyOf(name: string): string {
  return name.split('.', 1)[0]!;
}
