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
 * How the lock relates to this resolution: 'none' (there is none), 'fits', 'request-changed' (the spec asks for something
 * else, so the lock was not obeyed), 'recipe-changed' (same version, but the recipe is another one than was locked).
 */
export type LockState = 'none' | 'fits' | 'request-changed' | 'recipe-changed';

/** Whether a lock was written for this very request. */
export function isSameRequest(lock: LockedResolution, request: ToolchainRequest): boolean {
  const options = request.kind === 'catalog' ? request.options : {};
  const plain = (of: Record<string, OptionValue>) =>
    JSON.stringify(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
  return lock.request === request.request && plain(lock.options ?? {}) === plain(options);
}

/** How a resolution's recipe relates to the lock, `obeyed` being the lock if it decided the version. */
export function compareLock(
  lock: LockedResolution | undefined,
  obeyed: LockedResolution | undefined,
  recipe: string,
): LockState {
  if (lock === undefined) return 'none';
  if (obeyed === undefined) return 'request-changed';
  return obeyed.recipe === recipe ? 'fits' : 'recipe-changed';
}
