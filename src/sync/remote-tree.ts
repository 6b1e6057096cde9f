import type { ListedPath } from '../engine/engine.ts';
import { isInside } from './safe-path.ts';
import type { Node, Tree } from './tree.ts';

/** What the engine's side lists, as a tree; a name that leads out of it is `refused`. */
export function treeOf(listed: ListedPath[]): { tree: Tree; refused: string[] } {
  const tree: Tree = new Map();
  const refused: string[] = [];
  for (const each of listed) {
    if (isInside(each.path)) tree.set(each.path, nodeOf(each));
    else refused.push(each.path);
  }
  return { tree, refused };
}

function nodeOf({ kind, mode, size, change, target }: ListedPath): Node {
  const node = { kind, mode: mode & 0o777, size, print: change };
  if (kind === 'symlink') return { ...node, target };
  return kind === 'file' && (mode & 0o6000) !== 0 ? { ...node, setsId: true } : node;
}
