import { statSync } from 'node:fs';
import { join } from 'node:path';

/** Another one whenever somebody has written. */
export function faceOf(file: string): string {
  const { ino, size, ctimeMs } = statSync(file, { throwIfNoEntry: false }) ?? {};
  return `${ino} ${size} ${ctimeMs}`;
}

/** Where they all are. */
export function memoriesDir(cacheDir: string): string {
  return join(cacheDir, 'workspaces');
}
