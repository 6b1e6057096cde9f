import { readdir, rm, stat } from 'node:fs/promises';
import { memoriesDir } from './memory-files.ts';

const mostKept = 100;

/**
 * Keeps the memories that were used last, and removes the rest: a workspace of a hundred thousand
 * files leaves fifteen megabytes, and may never be worked on again.
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

/** A memory and its clean marker have names that begin alike. */
function keyOf(name: string): string {
  return name.split('.', 1)[0]!;
}
