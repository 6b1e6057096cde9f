import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isWriterDead, makeMark, readTemporaryMark } from './writer-mark.ts';

/**
 * Replaces a file atomically: writes a temporary and renames it, after making its folder. A folder in the file's place
 * and a file in the folder's place are removed: neither is gbuild's. Throws the system's error, and leaves no
 * temporary.
 */
export function replaceFile(file: string, chunks: Iterable<string | Uint8Array>, mode: number): void {
  const temporary = `${file}.tmp-${makeMark()}`;
  makeFolder(dirname(file));
  try {
    const out = openSync(temporary, 'wx', mode);
    try {
      for (const chunk of chunks) writeFileSync(out, chunk);
    } finally {
      closeSync(out);
    }
    renameOver(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cause;
  }
}

/** Removes a file, or a folder in its place. One that cannot be removed stays. */
export function removeAny(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // It belongs to another user: reading it shows that it does not match.
  }
}

/** Removes the temporaries that dead writers left in a folder. Returns their paths. */
export function sweepTemporaries(dir: string): string[] {
  return listNames(dir)
    .filter((name) => isWriterDead(readTemporaryMark(name) ?? ''))
    .map((name) => join(dir, name))
    .filter((file) => {
      removeAny(file);
      return lstatSync(file, { throwIfNoEntry: false }) === undefined;
    });
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    if (lstatSync(dir, { throwIfNoEntry: false })?.isFile() !== true) throw cause;
    rmSync(dir, { force: true });
    mkdirSync(dir, { recursive: true });
  }
}

function renameOver(temporary: string, file: string): void {
  try {
    renameSync(temporary, file);
  } catch (cause) {
    if (lstatSync(file, { throwIfNoEntry: false })?.isDirectory() !== true) throw cause;
    rmSync(file, { recursive: true, force: true });
    renameSync(temporary, file);
  }
}

function listNames(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
