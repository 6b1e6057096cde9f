import { type Mistake, quote } from '../yaml/mistakes.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';
import { DeclaredNames } from './declared-names.ts';

/** Checks that tasks and the smoke test need only declared services, and have a network to reach them. */
export function checkServices(root: YamlTree, source: Source): Mistake[] {
  const services = findTree(root, ['services']);
  const names = new DeclaredNames('services', services.whole ? [...services.tree.children.keys()].map(String) : []);
  const { value: network } = findTree(root, ['network']).tree;
  const hasNone = network === 'none' || network === 'host' ? network : undefined;
  const tasks = findTree(root, ['tasks']);
  const lists = tasks.whole ? [...tasks.tree.children.keys()].map((task) => ['tasks', String(task), 'services']) : [];
  return [...lists, ['image', 'smoke', 'services']].flatMap((path) => {
    const needed = findTree(root, path);
    return needed.whole ? checkList(needed.tree, path, { names, hasNone }, source) : [];
  });
}

function checkList(
  list: YamlTree,
  path: string[],
  { names, hasNone }: { names: DeclaredNames; hasNone: string | undefined },
  source: Source,
): Mistake[] {
  return [...list.children].flatMap(([index, { value, from, to }]) => {
    if (typeof value !== 'string' || value === '') return [];
    if (names.has(value) && hasNone === undefined) return [];
    const wrong = names.has(value)
      ? { expected: `no services where the network is ${hasNone}`, hint: 'write network: bridge' }
      : {
          expected: 'the name of a service',
          hint: names.size === 0 ? 'say under the key services what it is' : names.hintFor(value),
        };
    return [source.mistakeAt(from, to, { path: [...path, index], found: quote(value), ...wrong })];
  });
}
