import type { Progress } from '../reporter/progress.ts';
import type { Lock } from '../spec/lock-types.ts';
import { throwStale } from './lock-mismatch.ts';
import { withoutRemembered } from './remembered-lock.ts';
import { openWorkspace, type Places } from './workspace-session.ts';

/** The story of `gbuild lock --check`: reads files only. Throws 'lock-stale' where the lock is missing or does not fit. */
export async function checkLock(places: Places, progress: Progress): Promise<Lock> {
  const session = withoutRemembered(await openWorkspace(places, progress));
  if (session.lock === undefined || session.toolchain.lockState !== 'fits') return throwStale(session);
  return session.lock;
}
