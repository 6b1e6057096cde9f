import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sweepTemporaries } from './replace-file.ts';
import { makeMark } from './writer-mark.ts';

/** Whether a folder may be written at this path: the path is free, or an empty folder, or a link to one. */
export function isFreeFolder(dir: string): boolean {
  const found = statSync(dir, { throwIfNoEntry: false });
  return found === undefined || (found.isDirectory() && readdirSync(dir).length === 0);
}

/**
 * Makes a folder atomically. The work fills a temporary folder next to it, which only this user may enter, and which is
 * renamed at the end. The destination must be free (isFreeFolder). A killed writer leaves `DIR.tmp-MARK`; the next one
 * removes it. Throws the system's error.
 */
export async function makeFolderWhole<T>(dir: string, work: (folder: string) => Promise<T>): Promise<T> {
  const target = existsSync(dir) ? realpathSync(dir) : dir;
  const made = mkdirSync(dirname(target), { recursive: true });
  const parent = realpathSync(dirname(target));
  const temporary = join(parent, `${basename(target)}.tmp-${makeMark()}`);
  const folder = join(temporary, 'tree');
  try {
    sweepTemporaries(parent);
    mkdirSync(temporary, { mode: 0o700 });
    mkdirSync(folder);
    const answer = await work(folder);
    renameSync(folder, target);
    rmdirSync(temporary);
    return answer;
  } catch (thrown) {
    removeTree(temporary);
    if (made !== undefined) removeEmpty(parent, dirname(realpathSync(made)));
    throw thrown;
  }
}

/** Removes a tree of this user, even with folders that refuse writes. */
function removeTree(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true });
  } catch {
    openFolders(dir);
    rmSync(dir, { recursive: true, force: true });
  }
}

function openFolders(dir: string): void {
  chmodSync(dir, 0o700);
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) openFolders(join(dir, entry.name));
}

/** Removes the parent folders that were made here, unless somebody else uses one. */
function removeEmpty(dir: string, until: string): void {
  try {
    for (let at = dir; at !== until; at = dirname(at)) rmdirSync(at);
  } catch {
    // Another process has put something into it.
  }
}
