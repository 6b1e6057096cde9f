import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isThere } from '../../fs/read-bounded.ts';
import { removeOldest } from '../../fs/remove-oldest.ts';
import type { Host } from '../../host.ts';
import type { Lock } from '../../spec/lock/lock-types.ts';
import type { WorkspaceSession } from './context.ts';

type HostState = Pick<Host, 'stateDir'>;

/** Number of repositories whose lock is kept here, by their last use. */
const mostKept = 500;

/**
 * Returns the folder of the lock outside of a repository that has neither gbuild.yml nor gbuild.lock: the caller did
 * not ask gbuild to write into it. Undefined where the repository has one of them.
 */
export function findRememberedIn(host: HostState, rootDir: string, specFile: string | undefined): string | undefined {
  if (specFile !== undefined || isThere(join(rootDir, 'gbuild.lock'))) return undefined;
  return join(foldersOf(host), createHash('sha256').update(rootDir).digest('hex').slice(0, 32));
}

/** Returns the session without this machine's recorded lock: only the repository's own lock counts. */
export function withoutRemembered(session: WorkspaceSession): WorkspaceSession {
  const { lock: _, rememberedIn, toolchain, ...rest } = session;
  return rememberedIn === undefined ? session : { ...rest, toolchain: { ...toolchain, lockState: 'none' } };
}

export async function rememberLock(rememberedIn: string, lock: Lock): Promise<void> {
  const { writeLock } = await import('../../spec/lock/lock.ts');
  mkdirSync(rememberedIn, { recursive: true });
  writeLock(rememberedIn, lock);
}

/** Removes the oldest recorded locks. */
export function pruneRemembered(host: HostState): Promise<void> {
  return removeOldest(foldersOf(host), mostKept);
}

function foldersOf({ stateDir }: HostState): string {
  return join(stateDir, 'choices');
}
