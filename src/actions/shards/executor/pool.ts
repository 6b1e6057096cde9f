import { GbuildError } from '../../../errors.ts';
import type { Shard } from '../../../plan/shard.ts';
import type { ShardPlace } from './executor.ts';

/** What became of a shard; `tries` is how often it was begun. */
export type ShardEnd<T> =
  | { shard: Shard; tries: number; value: T; error?: never }
  | { shard: Shard; tries: number; value?: never; error: unknown };

interface PoolWork<T> {
  run: (shard: Shard, place: ShardPlace, attempt: number) => Promise<T>;
  /** What was thrown is the place's failure, not the work's: it is not asked again. */
  isLost: (thrown: unknown) => boolean;
  onLost: (place: ShardPlace, shard: Shard, thrown: unknown, isElsewhere: boolean) => void;
}

/**
 * Runs every shard on the place that has the least to do, as many at a time as it takes. The shards of a place that is lost run
 * elsewhere, as long as there is an elsewhere. Answers in the order of the shards.
 */
export async function runPool<T>(
  shards: readonly Shard[],
  places: readonly ShardPlace[],
  { run, isLost, onLost }: PoolWork<T>,
): Promise<ShardEnd<T>[]> {
  const alive = new Set(places);
  const load = new Map(places.map((place) => [place, 0]));
  const tries = new Map<Shard, number>();
  const ends = new Map<Shard, ShardEnd<T>>();
  const running = new Set<Promise<void>>();
  const waiting = [...shards];

  const start = async (shard: Shard, place: ShardPlace) => {
    const attempt = (tries.get(shard) ?? 0) + 1;
    tries.set(shard, attempt);
    load.set(place, load.get(place)! + 1);
    try {
      ends.set(shard, { shard, tries: attempt, value: await run(shard, place, attempt) });
    } catch (error) {
      const isItsFault = isLost(error);
      if (isItsFault) alive.delete(place);
      const isElsewhere = isItsFault && alive.size > 0;
      if (isItsFault) onLost(place, shard, error, isElsewhere);
      if (isElsewhere) waiting.unshift(shard);
      else ends.set(shard, { shard, tries: attempt, error });
    } finally {
      load.set(place, load.get(place)! - 1);
    }
  };

  while (waiting.length > 0 || running.size > 0) {
    for (let place = findFree(alive, load); place !== undefined && waiting.length > 0; place = findFree(alive, load)) {
      const work = start(waiting.shift()!, place).finally(() => running.delete(work));
      running.add(work);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  return shards.map((shard) => ends.get(shard) ?? { shard, tries: tries.get(shard) ?? 0, error: noPlace(shard) });
}

function findFree(alive: ReadonlySet<ShardPlace>, load: ReadonlyMap<ShardPlace, number>): ShardPlace | undefined {
  const free = [...alive].filter((place) => load.get(place)! < place.slots);
  return free.reduce<ShardPlace | undefined>(
    (best, place) => (best === undefined || load.get(place)! < load.get(best)! ? place : best),
    undefined,
  );
}

function noPlace({ number, of }: Shard): GbuildError {
  return new GbuildError('engine-unreachable', `shard ${number} of ${of} did not run: no engine is left to run it on`, {
    suggestions: ['gbuild engine ls'],
  });
}
