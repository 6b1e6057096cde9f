/**
 * The names and all they need, each once, needs first; ties keep the order of declaration. The graph has no cycles: the
 * spec's reader refuses them.
 */
export function orderTasks(names: string[], needsOf: (name: string) => string[]): string[] {
  const ordered = new Set<string>();
  const visit = (name: string) => {
    if (ordered.has(name)) return;
    for (const needed of needsOf(name)) visit(needed);
    ordered.add(name);
  };
  for (const name of names) visit(name);
  return [...ordered];
}
