import type { OptionValue, ToolchainRequest } from '../../spec/types.ts';
/** Part of gbuild.lock that decides a resolution. */
export interface LockedResolution {
  request: string;
  name: string;
  version: string;
  options?: Record<string, OptionValue> | undefined;
  recipe: string;
}

/**
 * State of the lock for this resolution: 'none' (no lock), 'fits', 'request-changed' (the spec requests something else,
 * so the lock was not followed), 'recipe-changed' (same version, but another recipe than the locked one).
 */
export type LockState = 'none' | 'fits' | 'request-changed' | 'recipe-changed';

/** Whether a lock was written for this request. */
export function isSameRequest(lock: LockedResolution, request: ToolchainRequest): boolean {
  const options = request.kind === 'catalog' ? request.options : {};
  const plain = (of: Record<string, OptionValue>) =>
    JSON.stringify(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
  return lock.request === request.request && plain(lock.options ?? {}) === plain(options);
}

/** Compares a resolution's recipe with the lock; `obeyed` is the lock if it decided the version. */
export function compareLock(
  lock: LockedResolution | undefined,
  obeyed: LockedResolution | undefined,
  recipe: string,
): LockState {
  if (lock === undefined) return 'none';
  if (obeyed === undefined) return 'request-changed';
  return obeyed.recipe === recipe ? 'fits' : 'recipe-changed';
}
