import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { GbuildError, messageOf } from '../errors.ts';

/** Replaces a file at once: written beside, flushed and renamed. Throws `workspace-unreadable` naming the file. */
export function writeBeside(file: string, text: string): void {
  const beside = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(beside, text, { flag: 'wx', flush: true });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new GbuildError('workspace-unreadable', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
