import { GbuildError } from '../../../errors.ts';
import type { Shard } from '../../../plan/shard.ts';
import type { Executor } from './executor.ts';

/** End of a shard; `tries` is the number of its starts. */
export type ShardEnd<T> =
  | { shard: Shard; tries: number; value: T; error?: never }
  | { shard: Shard; tries: number; value?: never; error: unknown };

interface PoolWork<T> {
  run: (shard: Shard, executor: Executor, attempt: number) => Promise<T>;
  /** Whether the executor failed, not the work: it then gets no more shards. */
  isLost: (thrown: unknown) => boolean;
  onLost: (executor: Executor, shard: Shard, thrown: unknown, isElsewhere: boolean) => void;
}

/**
 * Runs every shard on the least busy executor, up to each executor's limit. The shards of a lost executor run on
 * another one, as long as one is left. Returns the ends in the order of the shards.
 */
export async function runPool<T>(
  shards: readonly Shard[],
  executors: readonly Executor[],
  { run, isLost, onLost }: PoolWork<T>,
): Promise<ShardEnd<T>[]> {
  const alive = new Set(executors);
  const load = new Map(executors.map((executor) => [executor, 0]));
  const tries = new Map<Shard, number>();
  const ends = new Map<Shard, ShardEnd<T>>();
  const running = new Set<Promise<void>>();
  const waiting = [...shards];

  const start = async (shard: Shard, executor: Executor) => {
    const attempt = (tries.get(shard) ?? 0) + 1;
    tries.set(shard, attempt);
    load.set(executor, load.get(executor)! + 1);
    try {
      ends.set(shard, { shard, tries: attempt, value: await run(shard, executor, attempt) });
    } catch (error) {
      const isItsFault = isLost(error);
      if (isItsFault) alive.delete(executor);
      const isElsewhere = isItsFault && alive.size > 0;
      if (isItsFault) onLost(executor, shard, error, isElsewhere);
      if (isElsewhere) waiting.unshift(shard);
      else ends.set(shard, { shard, tries: attempt, error });
    } finally {
      load.set(executor, load.get(executor)! - 1);
    }
  };

  while (waiting.length > 0 || running.size > 0) {
    for (
      let executor = findFree(alive, load);
      executor !== undefined && waiting.length > 0;
      executor = findFree(alive, load)
    ) {
      const work = start(waiting.shift()!, executor).finally(() => running.delete(work));
      running.add(work);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  return shards.map((shard) => ends.get(shard) ?? { shard, tries: tries.get(shard) ?? 0, error: noExecutor(shard) });
}

function findFree(alive: ReadonlySet<Executor>, load: ReadonlyMap<Executor, number>): Executor | undefined {
  const free = [...alive].filter((executor) => load.get(executor)! < executor.slots);
  return free.reduce<Executor | undefined>(
    (best, executor) => (best === undefined || load.get(executor)! < load.get(best)! ? executor : best),
    undefined,
  );
}

function noExecutor({ number, of }: Shard): GbuildError {
  return new GbuildError('engine-unreachable', `shard ${number} of ${of} did not run: no engine is left to run it on`, {
    suggestions: ['gbuild engine ls'],
  });
}
