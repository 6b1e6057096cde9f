import { lstatSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeAny } from './replace-file.ts';
import { isWriterDead, makeMark } from './writer-mark.ts';

/** Makes a new folder for this process; its name has the owner after the prefix. */
export function makeOwnFolder(parent: string, prefix: string): string {
  const owner = makeMark().split('-', 3).join('-');
  return mkdtempSync(join(parent, `${prefix}${owner}-`));
}

/** Removes folders that dead processes of this user left. Returns their paths. */
export function sweepOwnFolders(parent: string, prefix: string): string[] {
  return listNames(parent)
    .filter((name) => name.startsWith(prefix) && isWriterDead(name.slice(prefix.length)))
    .map((name) => join(parent, name))
    .filter((dir) => {
      // Another user's folder stays, even where it could be removed: the parent is open to everybody.
      if (lstatSync(dir, { throwIfNoEntry: false })?.uid !== process.getuid?.()) return false;
      removeAny(dir);
      return lstatSync(dir, { throwIfNoEntry: false }) === undefined;
    });
}

function listNames(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
