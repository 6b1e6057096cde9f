import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWriterDead, makeMark } from '../fs/writer-mark.ts';

/** A socket's path has a good hundred bytes at most, and ssh appends to it: so much is left for the folder above. */
const longest = 32;
const prefix = 'gbuild-ssh-';

/** A folder for the socket of a shared connection, in `parent` where its name is short enough; those that dead gbuilds left are removed. */
export function makeSshFolder(parent = tmpdir()): string {
  const place = parent.length > longest ? '/tmp' : parent;
  removeDeadFolders(place);
  const owner = makeMark().split('-', 3).join('-');
  return mkdtempSync(join(place, `${prefix}${owner}-`));
}

function removeDeadFolders(place: string): void {
  for (const name of readdirSync(place)) {
    if (!name.startsWith(prefix) || !isWriterDead(name.slice(prefix.length))) continue;
    const dir = join(place, name);
    // Another user's is theirs to remove, also where we may: the folder is open to everybody.
    if (lstatSync(dir, { throwIfNoEntry: false })?.uid === process.getuid?.())
      rmSync(dir, { recursive: true, force: true });
  }
}
