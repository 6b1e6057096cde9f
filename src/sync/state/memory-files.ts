import { statSync } from 'node:fs';
import { join } from 'node:path';

/** Returns a text that changes with every write of the file. */
export function faceOf(file: string): string {
  const { ino, size, ctimeMs } = statSync(file, { throwIfNoEntry: false }) ?? {};
  return `${ino} ${size} ${ctimeMs}`;
}

/** Returns the folder of all these files. */
export function memoriesDir(cacheDir: string): string {
  return join(cacheDir, 'workspaces');
}
