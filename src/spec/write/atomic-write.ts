import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { diskError, GbuildError, messageOf } from '../../errors.ts';
import { makeMark } from '../../fs/writer-mark.ts';

/**
 * Replaces a file atomically: writes a temporary, flushes and renames it. Throws `disk-failed` where the disk is full
 * or failing, else `workspace-unreadable`; both name the file.
 */
export function writeTextAtomic(file: string, text: string): void {
  const temporary = `${file}.tmp-${makeMark()}`;
  try {
    writeFileSync(temporary, text, { flag: 'wx', flush: true });
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw notWritten(file, cause);
  }
}

/** Explains why a file could not be written, with its name. */
export function notWritten(file: string, cause: unknown): GbuildError {
  const { code, message, suggestions } = diskError(cause, dirname(file)) ?? {};
  const why = message ?? messageOf(cause);
  return new GbuildError(code ?? 'workspace-unreadable', `${file} cannot be written: ${why}`, {
    cause,
    facts: { file },
    ...(suggestions && { suggestions }),
  });
}
