import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { GbuildError } from '../errors.ts';
import { isMark, isWriterDead, makeMark } from './writer-mark.ts';

const pollMs = 20;
const lockTimeoutMs = 60_000;

/**
 * Does the work under a lock file. The lock is a hard link to a file with its owner's mark, so it appears complete or
 * not at all. It never expires under a busy owner. A dead owner's lock is taken over, and one without a mark: a power
 * loss emptied it. Throws `store-failed` when a living owner keeps it for a minute.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const mark = makeMark();
  const own = `${path}.tmp-${mark}`;
  writeFileSync(own, mark);
  try {
    for (let waited = 0; !tryLink(own, path); waited += pollMs) {
      const holder = readMark(path);
      if (holder !== undefined && isFree(holder)) breakLock(path, holder, own);
      else if (waited < lockTimeoutMs) await sleep(pollMs);
      else throw keptLocked(path, holder);
    }
    try {
      return await work();
    } finally {
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(own, { force: true });
  }
}

function isFree(holder: string): boolean {
  return !isMark(holder) || isWriterDead(holder);
}

/**
 * Removes a dead owner's lock. Only the owner of the marker named after exactly that lock may remove it, so a slow
 * process never removes a newer lock. A marker whose owner died is removed in the same way.
 */
function breakLock(path: string, dead: string, own: string): void {
  const marker = `${path}.${isMark(dead) ? dead.slice(dead.lastIndexOf('-') + 1) : 'damaged'}`;
  if (!tryLink(own, marker)) {
    const breaker = readMark(marker);
    if (breaker !== undefined && isFree(breaker)) breakLock(marker, breaker, own);
    return;
  }
  if (readMark(path) === dead) rmSync(path, { recursive: true, force: true });
  rmSync(marker, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

/** Reads the mark; empty for a folder in its place. */
function readMark(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EISDIR') return '';
    throw cause;
  }
}

function keptLocked(path: string, holder: string | undefined): GbuildError {
  const pid = holder?.split('-', 1)[0];
  return new GbuildError(
    'store-failed',
    `${JSON.stringify(path)} has been locked for a minute by process ${pid} (on this or another host)`,
    {
      suggestions: ['Wait for the other gbuild to finish.', `If there is none: rm ${JSON.stringify(path)}`],
      facts: { path, holder },
    },
  );
}
