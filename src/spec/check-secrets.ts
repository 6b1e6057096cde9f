import { type Mistake, quote } from './mistakes.ts';
import type { Source } from './source.ts';
import { suggest } from './suggest.ts';
import { findTree, type Tree } from './tree.ts';

/** A task may need only secrets that the file says where to find. */
export function checkSecrets(root: Tree, source: Source): Mistake[] {
  const secrets = findTree(root, ['secrets']);
  const names = secrets.whole ? [...secrets.tree.children.keys()].map(String) : [];
  const tasks = findTree(root, ['tasks']);
  if (!tasks.whole) return [];
  return [...tasks.tree.children.keys()].flatMap((task) => {
    const path = ['tasks', String(task), 'secrets'];
    const needed = findTree(root, path);
    return needed.whole ? checkList(needed.tree, path, names, source) : [];
  });
}

function checkList(list: Tree, path: string[], names: string[], source: Source): Mistake[] {
  return [...list.children].flatMap(([index, { value, from, to }]) => {
    if (typeof value !== 'string' || value === '' || names.includes(value)) return [];
    const expected = 'the name of a secret';
    const hint = hintFor(value, names);
    return [source.mistakeAt(from, to, { path: [...path, index], expected, found: quote(value), hint })];
  });
}

function hintFor(name: string, names: string[]): string {
  if (names.length === 0) return 'say under the key secrets where it comes from';
  const meant = suggest(name, names);
  return meant === undefined ? `the secrets are ${names.slice(0, 12).join(', ')}` : `did you mean ${meant}?`;
}
