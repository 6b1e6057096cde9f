import { expect, it } from 'vitest';
import type { Executor } from '../../../../src/actions/shards/executor/executor.ts';
import { runPool } from '../../../../src/actions/shards/executor/pool.ts';
import { GbuildError } from '../../../../src/errors.ts';
import { planShards } from '../../../../src/plan/shard.ts';

const executorOf = (name: string, slots = 9): Executor => ({
  name,
  slots,
  run: () => Promise.reject(new Error('not of this test')),
  close: async () => {},
});

/** Runs shards whose executors the answer names; those in `broken` fail with everything that runs there. */
async function tryPool(count: number, executors: Executor[], broken: string[] = []) {
  const lost: string[] = [];
  let most = 0;
  let now = 0;
  const ends = await runPool(planShards(count, []), executors, {
    run: async ({ number }, executor, attempt) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      if (broken.includes(executor.name)) throw new GbuildError('engine-unreachable', `${executor.name} is gone`);
      if (executor.name === 'wrong') throw new GbuildError('usage', 'not its fault');
      return `${number} on ${executor.name}, ${attempt}`;
    },
    isLost: (thrown) => thrown instanceof GbuildError && thrown.exitCode === 3,
    onLost: (executor, { number }, _, isElsewhere) => lost.push(`${number} ${executor.name} ${isElsewhere}`),
  });
  return { ends: ends.map(({ value, error }) => value ?? (error as Error).message), lost, most };
}

it('spreads shards over the executors and answers in their order', async () => {
  expect(await tryPool(5, [executorOf('a'), executorOf('b')])).toEqual({
    ends: ['1 on a, 1', '2 on b, 1', '3 on a, 1', '4 on b, 1', '5 on a, 1'],
    lost: [],
    most: 5,
  });
});

it('gives an executor no more than it takes at a time', async () => {
  expect((await tryPool(7, [executorOf('a', 1), executorOf('b', 2)])).most).toBe(3);
});

it('runs what a lost executor had on another, and gives the lost one nothing more', async () => {
  const { ends, lost } = await tryPool(4, [executorOf('a', 1), executorOf('b', 1)], ['a']);
  expect(ends).toEqual(['1 on b, 2', '2 on b, 1', '3 on b, 1', '4 on b, 1']);
  expect(lost).toEqual(['1 a true']);
});

it('says of every shard what became of it where no executor is left', async () => {
  const { ends, lost } = await tryPool(3, [executorOf('a', 1), executorOf('b', 1)], ['a', 'b']);
  expect(lost).toEqual(['1 a true', '2 b false']);
  expect(ends).toEqual([
    'shard 1 of 3 did not run: no engine is left to run it on',
    'b is gone',
    'shard 3 of 3 did not run: no engine is left to run it on',
  ]);
});

it('takes a failure that is not the executor’s for the shard’s own, and does not try again', async () => {
  expect(await tryPool(2, [executorOf('wrong')])).toEqual({
    ends: ['not its fault', 'not its fault'],
    lost: [],
    most: 2,
  });
});
