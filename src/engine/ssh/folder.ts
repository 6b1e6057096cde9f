import { tmpdir } from 'node:os';
import { makeOwnFolder, sweepOwnFolders } from '../../fs/own-folder.ts';

/**
 * Length that remains for the folder above: a socket's path has a good hundred bytes at most, and ssh appends to it.
 */
const longest = 32;
const prefix = 'gbuild-ssh-';

/**
 * Makes a folder for the socket of a shared connection, in `parent` where its name is short enough. Removes folders of
 * dead gbuild processes.
 */
export function makeSshFolder(parent?: string): string {
  sweepSshFolders(parent);
  return makeOwnFolder(placeOf(parent), prefix);
}

/** Removes the folders of dead gbuild processes. Returns their paths. */
export function sweepSshFolders(parent?: string): string[] {
  return sweepOwnFolders(placeOf(parent), prefix);
}

function placeOf(parent = tmpdir()): string {
  return parent.length > longest ? '/tmp' : parent;
}
