import type { PathKey } from '../types.ts';
import { type Mistake, quote } from '../yaml/mistakes.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';

const uniqueInList: [list: PathKey[], key: string][] = [
  [['caches'], 'name'],
  [['caches'], 'path'],
  [['image', 'layers'], 'name'],
];

/** Checks that names are unique where YAML cannot check it: caches and layers are lists. */
export function checkNames(root: YamlTree, source: Source): Mistake[] {
  return uniqueInList.flatMap(([list, key]) => {
    const { tree, whole } = findTree(root, list);
    return whole ? checkList(tree, list, key, source) : [];
  });
}

function checkList(list: YamlTree, path: PathKey[], key: string, source: Source): Mistake[] {
  const first = new Map<string, YamlTree>();
  return [...list.children].flatMap(([index, item]) => {
    const tree = item.children.get(key);
    if (typeof tree?.value !== 'string') return [];
    const before = first.get(tree.value);
    if (before === undefined) {
      first.set(tree.value, tree);
      return [];
    }
    const { line } = source.positionOf(before.from);
    const found = `${quote(tree.value)} again: the first is on line ${line}`;
    return [source.mistakeAt(tree.from, tree.to, { path: [...path, index, key], expected: `each ${key} once`, found })];
  });
}
