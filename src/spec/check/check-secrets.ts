import { type Mistake, quote } from '../yaml/mistakes.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';
import { DeclaredNames } from './declared-names.ts';

/** Checks that tasks need only secrets that the file declares. */
export function checkSecrets(root: YamlTree, source: Source): Mistake[] {
  const secrets = findTree(root, ['secrets']);
  const names = new DeclaredNames('secrets', secrets.whole ? [...secrets.tree.children.keys()].map(String) : []);
  const tasks = findTree(root, ['tasks']);
  if (!tasks.whole) return [];
  return [...tasks.tree.children.keys()].flatMap((task) => {
    const path = ['tasks', String(task), 'secrets'];
    const needed = findTree(root, path);
    return needed.whole ? checkList(needed.tree, path, names, source) : [];
  });
}

function checkList(list: YamlTree, path: string[], names: DeclaredNames, source: Source): Mistake[] {
  return [...list.children].flatMap(([index, { value, from, to }]) => {
    if (typeof value !== 'string' || value === '' || names.has(value)) return [];
    const expected = 'the name of a secret';
    const hint = names.size === 0 ? 'say under the key secrets where it comes from' : names.hintFor(value);
    return [source.mistakeAt(from, to, { path: [...path, index], expected, found: quote(value), hint })];
  });
}
