import type { ListedPath } from '../../engine/engine.ts';
import { isInside } from './safe-path.ts';
import type { Tree } from './tree.ts';

/** Builds a tree from the engine's listing; a name that leads out of it is `refused`. */
export function treeOf(listed: ListedPath[]): { tree: Tree; refused: string[] } {
  const tree: Tree = new Map();
  const refused: string[] = [];
  for (const each of listed) {
    if (isInside(each.path)) tree.set(each.path, each);
    else refused.push(each.path);
  }
  return { tree, refused };
}
