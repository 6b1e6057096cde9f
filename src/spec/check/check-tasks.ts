import type { PathKey } from '../types.ts';
import { type Mistake, quote } from '../yaml/mistakes.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';
import { DeclaredNames, showName } from './declared-names.ts';

/**
 * Checks that tasks name only existing tasks, and that no task needs itself. Reads the tree, not the spec, so that
 * these mistakes appear together with all others. `known` tasks exist without the file.
 */
export function checkTasks(root: YamlTree, source: Source, known: readonly string[]): Mistake[] {
  const tasks = findTree(root, ['tasks']);
  if (!tasks.whole || tasks.tree.children.size === 0) return [];
  const names = [...tasks.tree.children.keys()].map(String);
  const all = new DeclaredNames('tasks', [...names, ...known]);
  const unknown = [...namesOfTasks(root, names)].flatMap((path) => checkName(path, all, root, source));
  return [...unknown, ...checkCycles(tasks.tree, source)];
}

function* namesOfTasks(root: YamlTree, names: string[]): Generator<PathKey[]> {
  for (const name of names) {
    const needs = findTree(root, ['tasks', name, 'needs']);
    if (needs.whole) for (const index of needs.tree.children.keys()) yield ['tasks', name, 'needs', index];
  }
  if (findTree(root, ['image', 'build']).whole) yield ['image', 'build'];
}

function checkName(path: PathKey[], names: DeclaredNames, root: YamlTree, source: Source): Mistake[] {
  const { value, from, to } = findTree(root, path).tree;
  if (typeof value !== 'string' || value === '' || names.has(value)) return [];
  const hint = names.hintFor(value);
  return [source.mistakeAt(from, to, { path, expected: 'the name of a task', found: quote(value), hint })];
}

/** Reports each cycle once, at its first task in the file. */
function checkCycles(tasks: YamlTree, source: Source): Mistake[] {
  const done = new Set<string>();
  const mistakes: Mistake[] = [];
  for (const name of tasks.children.keys()) {
    const cycle = findCycle(String(name), tasks, done);
    if (cycle === undefined) continue;
    const first = String(cycle[0]);
    const needs = findTree(tasks, [first, 'needs']).tree;
    const index = [...needs.children].find(([, need]) => need.value === cycle[1])?.[0] ?? 0;
    const at = findTree(needs, [index]).tree;
    mistakes.push(
      source.mistakeAt(at.from, at.to, {
        path: ['tasks', first, 'needs', index],
        expected: 'tasks that do not need this one',
        found: `a cycle: ${cycle.map(showName).join(' needs ')}`,
      }),
    );
  }
  return mistakes;
}

/** Finds a cycle, depth first, with its own stack: a chain of tasks may be longer than the call stack. */
function findCycle(start: string, tasks: YamlTree, done: Set<string>): string[] | undefined {
  const stack = [{ name: start, left: needsOf(tasks, start) }];
  const onPath = new Set([start]);
  if (done.has(start)) return undefined;
  while (stack.length > 0) {
    const { name, left } = stack.at(-1)!;
    const next = left.shift();
    if (next === undefined) {
      done.add(name);
      onPath.delete(name);
      stack.pop();
    } else if (onPath.has(next)) {
      const names = stack.map((frame) => frame.name);
      for (const seen of names) done.add(seen);
      return [...names.slice(names.indexOf(next)), next];
    } else if (!done.has(next)) {
      onPath.add(next);
      stack.push({ name: next, left: needsOf(tasks, next) });
    }
  }
  return undefined;
}

function needsOf(tasks: YamlTree, name: string): string[] {
  const { tree, whole } = findTree(tasks, [name, 'needs']);
  if (!whole) return [];
  const needs = [...tree.children.values()].map((need) => need.value);
  return needs.filter((need): need is string => typeof need === 'string' && tasks.children.has(need));
}
