import { GbuildError } from '../errors.ts';

/**
 * The names and all they need, each once, needs first; ties keep the order of declaration. The spec's reader refuses
 * cycles within the spec; one between a spec's task and a toolchain's own is found here.
 */
export function orderTasks(names: string[], needsOf: (name: string) => string[]): string[] {
  const ordered = new Set<string>();
  const visit = (name: string, above: string[]) => {
    if (ordered.has(name)) return;
    if (above.includes(name)) throw cycle([...above.slice(above.indexOf(name)), name]);
    for (const needed of needsOf(name)) visit(needed, [...above, name]);
    ordered.add(name);
  };
  for (const name of names) visit(name, []);
  return [...ordered];
}

function cycle(names: string[]): GbuildError {
  return new GbuildError('spec-invalid', `these tasks need one another: ${names.join(' needs ')}`, {
    suggestions: [`correct tasks.${names[0]}.needs in gbuild.yml`, 'gbuild plan --tasks'],
    facts: { cycle: names },
  });
}
