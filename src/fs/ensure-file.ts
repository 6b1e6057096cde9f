import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { diskError, GbuildError, messageOf } from '../errors.ts';
import { replaceFile } from './replace-file.ts';

/**
 * Ensures a file's content, writing it only where it differs. Throws `disk-failed` with the file's name and the fix for
 * its permissions.
 */
export function ensureFile(file: string, content: Buffer, mode: number): void {
  if (holds(file, content)) return;
  try {
    replaceFile(file, [content], mode);
  } catch (cause) {
    throw diskError(cause, dirname(file)) ?? notWritable(file, cause);
  }
}

function holds(file: string, content: Buffer): boolean {
  try {
    return readFileSync(file).equals(content);
  } catch {
    return false;
  }
}

function notWritable(file: string, cause: unknown): GbuildError {
  const dir = dirname(file).replaceAll("'", "'\\''");
  return new GbuildError('disk-failed', `${file} cannot be written: ${messageOf(cause)}`, {
    cause,
    suggestions: [`sudo chown -R "$(id -u)" '${dir}'`, `ls -ld '${dir}'`],
    facts: { path: file },
  });
}
