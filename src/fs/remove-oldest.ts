import { lstatSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes of a folder's files and folders the oldest by their time of change, so that `most` are left. None there is no failure. */
export async function removeOldest(folder: string, most: number): Promise<void> {
  const paths = (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  if (paths.length <= most) return;
  const changedAt = new Map(paths.map((path) => [path, lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  const oldest = paths.sort((left, right) => changedAt.get(left)! - changedAt.get(right)!).slice(0, -most);
  await Promise.allSettled(oldest.map((path) => rm(path, { recursive: true, force: true })));
}
