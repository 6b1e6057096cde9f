import { folderOf } from './tree.ts';

/** Pattern of a part that is empty, `.` or `..`. */
const wayOut = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Whether a name from the engine's side is surely inside the workspace. */
export function isInside(path: string): boolean {
  return !wayOut.test(path);
}

/**
 * Whether a link at `path` stays inside, wherever other links lead. Steps upwards must come first, and must not exceed
 * the number of folders above. (`a/b/../../x` could leave where `a/b` is a link itself.)
 */
export function staysInside(path: string, target: string): boolean {
  if (target === '' || target.startsWith('/')) return false;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const ups = parts.findIndex((part) => part !== '..');
  const steps = ups === -1 ? parts.length : ups;
  const folder = folderOf(path);
  const depth = folder === '' ? 0 : folder.split('/').length;
  return steps <= depth && !parts.slice(steps).includes('..');
}
