import { posix } from 'node:path';
import type { PlacedFile } from '../image-tree.ts';

/** Limit of the kernel. */
const mostLinks = 40;

type Tree = ReadonlyMap<string, PlacedFile>;

/**
 * Returns a link's target for a folder of the host. It stays as it is where it stays in the image. Otherwise it becomes
 * relative, with the same destination as in a container. There `/` and every `..` above the root are the image's root;
 * on the host they would be the host's. `path` has no links in its folders.
 */
export function containLink(path: string, target: string, tree: Tree): string {
  const folder = folderOf(path);
  let leadsOut = target.startsWith('/');
  let at = leadsOut ? '' : folder;
  let kept: string[] = [];
  const budget = { left: mostLinks };
  for (const name of splitPath(target)) {
    if (name === '..' && at === '') {
      leadsOut = true;
      kept = [];
      continue;
    }
    kept.push(name);
    at = enter(at, name, tree, budget);
  }
  if (!leadsOut) return target;
  const upwards = splitPath(folder).map(() => '..');
  return [...upwards, ...kept].join('/') || '.';
}

/** Returns the folder that a name leads to in a container, with links followed. */
function enter(folder: string, name: string, tree: Tree, budget: { left: number }): string {
  if (name === '..') return folderOf(folder);
  const path = folder === '' ? name : `${folder}/${name}`;
  const file = tree.get(path);
  if (file?.type !== 'symlink' || budget.left === 0) return path;
  budget.left -= 1;
  const target = file.linkTarget ?? '';
  const start = target.startsWith('/') ? '' : folder;
  return splitPath(target).reduce((at, each) => enter(at, each, tree, budget), start);
}

function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder === '.' ? '' : folder;
}

function splitPath(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
