import type { Lock } from '../../spec/lock/lock-types.ts';
import type { AppContext } from '../session/context.ts';
import { openWorkspace } from '../session/open-repository.ts';
import { withoutRemembered } from '../session/remembered-lock.ts';
import { throwStale } from '../toolchain/assert-lock-fits.ts';

/**
 * Implements `gbuild lock --check`: reads files only. Throws 'lock-stale' where the lock is missing or does not fit.
 */
export async function checkLock(context: AppContext): Promise<Lock> {
  const session = withoutRemembered(await openWorkspace(context));
  if (session.lock === undefined || session.toolchain.lockState !== 'fits') return throwStale(session);
  return session.lock;
}
