import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Finds a program on the PATH, as an absolute path. Relative entries are left out: a program of the current folder may
 * be a repository's.
 */
export function findProgram(name: string, path: string | undefined): string | undefined {
  const dirs = (path ?? '').split(delimiter).filter((dir) => dir.startsWith('/'));
  return dirs.map((dir) => join(dir, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
