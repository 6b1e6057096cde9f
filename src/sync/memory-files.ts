import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Another one whenever somebody has written. */
export function faceOf(file: string): string {
  const { ino, size, ctimeMs } = statSync(file, { throwIfNoEntry: false }) ?? {};
  return `${ino} ${size} ${ctimeMs}`;
}

/** Where they all are. */
export function memoriesDir(cacheDir: string): string {
  return join(cacheDir, 'workspaces');
}

/** The file system's own time, in milliseconds as `lstat` gives them. */
export function readClock(cacheDir: string): number {
  const probe = join(memoriesDir(cacheDir), `${process.pid}.clock`);
  mkdirSync(dirname(probe), { recursive: true });
  writeFileSync(probe, '');
  const { ctimeMs } = statSync(probe);
  rmSync(probe);
  return ctimeMs;
}
