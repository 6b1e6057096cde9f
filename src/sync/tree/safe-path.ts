import { folderOf } from './tree.ts';

/** A part that is empty, `.` or `..`. */
const wayOut = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Whether a name that the engine's side told can only be of something inside the workspace. */
export function isInside(path: string): boolean {
  return !wayOut.test(path);
}

/**
 * Whether a link at `path` stays inside whatever other links do: only names after the steps upwards, and no more of those than
 * there are folders above. (`a/b/../../x` could leave where `a/b` is a link itself.)
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
