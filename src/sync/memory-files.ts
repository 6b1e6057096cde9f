import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Beside first; false where that cannot be. */
export function replaceFile(file: string, texts: Iterable<string>): boolean {
  const beside = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  try {
    const out = openSync(beside, 'w', 0o600);
    try {
      for (const text of texts) writeFileSync(out, text);
    } finally {
      closeSync(out);
    }
    renameSync(beside, file);
    return true;
  } catch {
    rmSync(beside, { force: true });
    return false;
  }
}

/** Empty where there is none. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

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
