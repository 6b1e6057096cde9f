import { tmpdir } from 'node:os';
import { makeOwnFolder, sweepOwnFolders } from '../../fs/own-folder.ts';

/** A socket's path has a good hundred bytes at most, and ssh appends to it: so much is left for the folder above. */
const longest = 32;
const prefix = 'gbuild-ssh-';

/** A folder for the socket of a shared connection, in `parent` where its name is short enough; those that dead gbuilds left are removed. */
export function makeSshFolder(parent?: string): string {
  sweepSshFolders(parent);
  return makeOwnFolder(placeOf(parent), prefix);
}

/** Removes the folders that dead gbuilds left; answers their paths. */
export function sweepSshFolders(parent?: string): string[] {
  return sweepOwnFolders(placeOf(parent), prefix);
}

function placeOf(parent = tmpdir()): string {
  return parent.length > longest ? '/tmp' : parent;
}
