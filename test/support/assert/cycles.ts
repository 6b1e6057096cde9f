/**
 * Finds cycles of arrows: groups of names, each sorted, and sorted by their first (Tarjan's strongly connected
 * components of more than one).
 */
export function findCycles(arrows: readonly (readonly [string, string])[]): string[][] {
  const targets = Map.groupBy(arrows, ([from]) => from);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const cycles: string[][] = [];
  const visit = (name: string): number => {
    order.set(name, order.size);
    lowest.set(name, order.get(name)!);
    open.push(name);
    for (const [, next] of targets.get(name) ?? []) {
      const reached = order.has(next) ? order.get(next)! : visit(next);
      if (open.includes(next)) lowest.set(name, Math.min(lowest.get(name)!, reached));
    }
    if (lowest.get(name) === order.get(name)) {
      const cycle = open.splice(open.indexOf(name));
      if (cycle.length > 1) cycles.push(cycle.sort());
    }
    return lowest.get(name)!;
  };
  for (const name of targets.keys()) if (!order.has(name)) visit(name);
  return cycles.sort((one, other) => (one[0]! < other[0]! ? -1 : 1));
}
