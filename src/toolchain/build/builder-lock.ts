import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GbuildError, messageOf } from '../../errors.ts';
import { type Owner, ownerIsDead, ownerText, parseOwner } from '../../fs/process-owner.ts';
import type { ToolchainContext } from '../image/toolchain-context.ts';

let taken = 0;

/**
 * Does work that must run only once at a time on this machine for one engine. A second caller waits (and reports the
 * owner, if it is another process). The lock of a dead owner is taken over. The lock is a file that is completed under
 * another name and linked into place.
 */
export async function withBuilderLock<T>(context: ToolchainContext, name: string, work: () => Promise<T>): Promise<T> {
  const { host, engine } = context;
  const hostDir = join(host.cacheDir, 'locks');
  mkdirSync(hostDir, { recursive: true });
  const { id } = await engine.info();
  const file = join(hostDir, `${createHash('sha256').update(`${id}\n${name}`).digest('hex').slice(0, 24)}.lock`);
  const self = `${ownerText(engine.owner)} ${++taken}`;
  const own = `${file}.${self.replace(' ', '.')}`;
  writeFileSync(own, `${self}\n`);
  try {
    await acquire(context, name, file, own);
    try {
      return await work();
    } finally {
      if (readOwner(file) === self) rmSync(file, { force: true });
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Removes complete and incomplete locks of dead processes. Returns the files. */
export function sweepLocks({ cacheDir }: ToolchainContext['host'], self: Owner): string[] {
  const hostDir = join(cacheDir, 'locks');
  const names = existsSync(hostDir) ? readdirSync(hostDir) : [];
  return names
    .map((name) => join(hostDir, name))
    .filter((file) => {
      const holder = readOwnerIfAny(file);
      const owner = parseOwner(holder.split(' ')[0] ?? '');
      if (owner === undefined || !ownerIsDead(owner, self)) return false;
      if (file.endsWith('.lock')) takeAway(file, `${file}.${ownerText(self)}`, holder);
      else rmSync(file, { force: true });
      return true;
    });
}

async function acquire(
  { engine, progress, stop }: ToolchainContext,
  name: string,
  file: string,
  own: string,
): Promise<void> {
  for (let told = false; ; ) {
    if (isLinked(own, file)) return;
    const holder = readOwner(file);
    const owner = holder === undefined ? undefined : parseOwner(holder.split(' ')[0] ?? '');
    if (holder !== undefined && (owner === undefined || ownerIsDead(owner, engine.owner))) {
      takeAway(file, own, holder);
      continue;
    }
    if (!told && owner !== undefined && ownerText(owner) !== ownerText(engine.owner))
      progress.note(`waiting for process ${owner.pid}, which is making ${name}`);
    told = told || owner !== undefined;
    await sleep(150, undefined, { signal: stop.ask }).catch(() => {});
    stop.ask.throwIfAborted();
  }
}

function isLinked(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new GbuildError('toolchain-failed', `cannot make the lock ${file}: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  }
}

/**
 * Removes the lock. Two processes may find the same dead owner: the file is moved away first, and moved back if its
 * owner is alive after all.
 */
function takeAway(file: string, own: string, expected: string): void {
  const aside = `${own}.old`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (readOwner(aside) !== expected) isLinked(aside, file);
  rmSync(aside, { recursive: true, force: true });
}

/** Reads the owner; empty for a folder in its place, as for a file that a power loss emptied. */
function readOwner(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EISDIR') return '';
    if (code === 'ENOENT') return undefined;
    throw notReadable(file, cause);
  }
}

/** Reads the owner; empty also for an unreadable file, which stays where it is. */
function readOwnerIfAny(file: string): string {
  try {
    return readOwner(file) ?? '';
  } catch {
    return '';
  }
}

function notReadable(file: string, cause: unknown): GbuildError {
  return new GbuildError('toolchain-failed', `the lock ${file} cannot be read: ${messageOf(cause)}`, {
    cause,
    suggestions: [`sudo rm '${file.replaceAll("'", "'\\''")}'   # if no other gbuild is running`],
    facts: { file },
  });
}
