import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The file system's own time, in nanoseconds, by a file that is written beside `hostFile`. A file that changes at or after it may
 * have no other time than one that changed before.
 */
export function readFileClock(hostFile: string): bigint {
  const probe = `${hostFile}.${process.pid}.clock`;
  mkdirSync(dirname(hostFile), { recursive: true });
  writeFileSync(probe, '');
  const { ctimeNs } = statSync(probe, { bigint: true });
  rmSync(probe);
  return ctimeNs;
}
