import { lstatSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes a folder's oldest files and folders by their change time, until `most` are left. A missing folder is no
 * failure.
 */
export async function removeOldest(folder: string, most: number): Promise<void> {
  const paths = (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  if (paths.length <= most) return;
  const changedAt = new Map(paths.map((path) => [path, lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  const oldest = paths.sort((left, right) => changedAt.get(left)! - changedAt.get(right)!).slice(0, -most);
  await Promise.allSettled(oldest.map((path) => rm(path, { recursive: true, force: true })));
}
