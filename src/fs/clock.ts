import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeMark } from './writer-mark.ts';

/** Reads the time of a folder's file system from a change time; makes the folder. */
export function readClock(dir: string): { ctimeMs: number; ctimeNs: bigint } {
  const probe = join(dir, `clock.tmp-${makeMark()}`);
  mkdirSync(dir, { recursive: true });
  try {
    writeFileSync(probe, '');
    return { ctimeMs: statSync(probe).ctimeMs, ctimeNs: statSync(probe, { bigint: true }).ctimeNs };
  } finally {
    rmSync(probe, { force: true });
  }
}
