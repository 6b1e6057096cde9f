/** Outcome of one task in a graph. */
export type Outcome<T> =
  | { name: string; state: 'done'; value: T }
  | { name: string; state: 'skipped'; failedNeed: string };

export interface GraphTask {
  name: string;
  needs: string[];
}

/**
 * Runs every task as soon as all its needs have succeeded, at most `limit` at a time, in the given order. A task whose
 * need failed is skipped; independent tasks still run. `run` returns whether its task succeeded. When it throws, no
 * further task starts, and the first error is thrown after the running ones have ended.
 */
export async function runGraph<T>(
  tasks: GraphTask[],
  limit: number,
  run: (name: string) => Promise<{ value: T; succeeded: boolean }>,
): Promise<Outcome<T>[]> {
  const outcomes = new Map<string, Outcome<T>>();
  const succeeded = new Set<string>();
  const running = new Map<string, Promise<void>>();
  let failure: { error: unknown } | undefined;

  const start = async (name: string) => {
    try {
      const { value, succeeded: ok } = await run(name);
      outcomes.set(name, { name, state: 'done', value });
      if (ok) succeeded.add(name);
    } catch (error) {
      failure ??= { error };
    } finally {
      running.delete(name);
    }
  };

  const waiting = [...tasks];
  while (waiting.length > 0 || running.size > 0) {
    for (const task of [...waiting]) {
      const failedNeed = task.needs.find((need) => outcomes.has(need) && !succeeded.has(need));
      const isReady = task.needs.every((need) => succeeded.has(need));
      if (failedNeed === undefined && (failure || !isReady || running.size >= limit)) continue;
      waiting.splice(waiting.indexOf(task), 1);
      if (failedNeed === undefined) running.set(task.name, start(task.name));
      else outcomes.set(task.name, { name: task.name, state: 'skipped', failedNeed });
    }
    if (running.size > 0) await Promise.race(running.values());
    if (failure && running.size === 0) throw failure.error;
  }
  return tasks.map((task) => outcomes.get(task.name)!);
}
