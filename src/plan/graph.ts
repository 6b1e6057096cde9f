import { GbuildError } from '../errors.ts';

/** Task whose needs are being ordered, and its remaining needs. */
interface Frame {
  name: string;
  left: Iterator<string>;
}

/** Number of names that a message shows at each end of a long cycle. */
const shownAtEnds = 5;

/**
 * Orders the names with all their needs, each once, needs first; otherwise in the order of declaration. The spec's
 * reader refuses cycles within the spec. A cycle between a spec's task and a toolchain's own is found here.
 */
export function orderTasks(names: string[], needsOf: (name: string) => string[]): string[] {
  const ordered = new Set<string>();
  for (const name of names) addWithNeeds(name, needsOf, ordered);
  return [...ordered];
}

/** Adds a task after its needs, depth first, with its own stack: a chain of tasks may be longer than the call stack. */
function addWithNeeds(start: string, needsOf: (name: string) => string[], ordered: Set<string>): void {
  const stack: Frame[] = [];
  const onStack = new Set<string>();
  const enter = (name: string) => {
    if (ordered.has(name)) return;
    if (onStack.has(name))
      throw cycle(
        stack.map((frame) => frame.name),
        name,
      );
    onStack.add(name);
    stack.push({ name, left: needsOf(name).values() });
  };
  enter(start);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.left.next();
    if (next.done !== true) {
      enter(next.value);
      continue;
    }
    stack.pop();
    onStack.delete(top.name);
    ordered.add(top.name);
  }
}

function cycle(above: string[], again: string): GbuildError {
  const names = [...above.slice(above.indexOf(again)), again];
  const shown =
    names.length <= 2 * shownAtEnds + 1
      ? names
      : [...names.slice(0, shownAtEnds), '...', ...names.slice(names.length - shownAtEnds)];
  return new GbuildError('spec-invalid', `these tasks need one another: ${shown.join(' needs ')}`, {
    suggestions: [`correct tasks.${names[0]}.needs in gbuild.yml`, 'gbuild plan --tasks'],
    facts: { cycle: names },
  });
}
