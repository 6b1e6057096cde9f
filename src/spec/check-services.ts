import { type Mistake, quote } from './mistakes.ts';
import type { Source } from './source.ts';
import { suggest } from './suggest.ts';
import { findTree, type Tree } from './tree.ts';

/** A task may need only services that there are, and must have a network to meet them on. */
export function checkServices(root: Tree, source: Source): Mistake[] {
  const services = findTree(root, ['services']);
  const names = services.whole ? [...services.tree.children.keys()].map(String) : [];
  const { value: network } = findTree(root, ['network']).tree;
  const hasNone = network === 'none' || network === 'host' ? network : undefined;
  const tasks = findTree(root, ['tasks']);
  if (!tasks.whole) return [];
  return [...tasks.tree.children.keys()].flatMap((task) => {
    const path = ['tasks', String(task), 'services'];
    const needed = findTree(root, path);
    return needed.whole ? checkList(needed.tree, path, { names, hasNone }, source) : [];
  });
}

function checkList(
  list: Tree,
  path: string[],
  { names, hasNone }: { names: string[]; hasNone: string | undefined },
  source: Source,
): Mistake[] {
  return [...list.children].flatMap(([index, { value, from, to }]) => {
    if (typeof value !== 'string' || value === '') return [];
    if (names.includes(value) && hasNone === undefined) return [];
    const wrong = names.includes(value)
      ? { expected: `no services where the network is ${hasNone}`, hint: 'write network: bridge' }
      : { expected: 'the name of a service', hint: hintFor(value, names) };
    return [source.mistakeAt(from, to, { path: [...path, index], found: quote(value), ...wrong })];
  });
}

function hintFor(name: string, names: string[]): string {
  if (names.length === 0) return 'say under the key services what it is';
  const meant = suggest(name, names);
  return meant === undefined ? `the services are ${names.slice(0, 12).join(', ')}` : `did you mean ${meant}?`;
}
