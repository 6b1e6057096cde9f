import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planShards } from '../../src/plan/shard.ts';

const filesOf = (count: number, files: string[], seconds: Record<string, number> = {}) =>
  planShards(count, [{ task: 'test', files, seconds: new Map(Object.entries(seconds)) }]).map(
    (shard) => shard.files.test,
  );

it('gives every shard about the same time to run', () => {
  expect(filesOf(2, ['a', 'b', 'c', 'd'], { a: 9, b: 5, c: 4, d: 1 })).toEqual([
    ['a', 'd'],
    ['b', 'c'],
  ]);
});

it('takes a file that nobody has timed to last as long as the others do on average', () => {
  expect(filesOf(2, ['a', 'b', 'new'], { a: 10, b: 2 })).toEqual([['a'], ['b', 'new']]);
});

it('shares by number where nothing is known, or nothing took any time', () => {
  const shared = [['a', 'd'], ['b', 'e'], ['c']];
  expect(filesOf(3, ['a', 'b', 'c', 'd', 'e'])).toEqual(shared);
  expect(filesOf(3, ['a', 'b', 'c', 'd', 'e'], { a: 0, b: 0, c: 0, d: 0, e: 0 })).toEqual(shared);
});

it('numbers shards from one, and leaves tasks out that do not say which files they have', () => {
  expect(planShards(2, [])).toEqual([
    { number: 1, of: 2, files: {} },
    { number: 2, of: 2, files: {} },
  ]);
});

it('loses no file and gives none twice, whatever the times, and the same whatever the order', () => {
  const timed = fc.dictionary(fc.string({ minLength: 1, maxLength: 6 }), fc.double({ min: 0, max: 100, noNaN: true }));
  fc.assert(
    fc.property(timed, fc.integer({ min: 1, max: 9 }), (seconds, count) => {
      const files = Object.keys(seconds);
      const shards = filesOf(count, files, seconds);
      expect(shards.flat().sort()).toEqual([...files].sort());
      expect(filesOf(count, files.toReversed(), seconds)).toEqual(shards);
    }),
  );
});
