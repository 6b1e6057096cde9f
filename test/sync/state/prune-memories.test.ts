import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pruneMemories } from '../../../src/sync/state/prune-memories.ts';

const cacheDir = mkdtempSync(join(tmpdir(), 'gbuild-prune-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

test('the hundred that were used last are kept, each with its stamp, whichever of the two is newer', async () => {
  await pruneMemories(cacheDir);
  const dir = join(cacheDir, 'workspaces');
  mkdirSync(dir);
  const write = (name: string, day: number) => {
    writeFileSync(join(dir, name), '');
    utimesSync(join(dir, name), day * 86_400, day * 86_400);
  };
  for (let number = 0; number < 99; number += 1) write(`m${number}`, 100 + number);
  write('stamped', 1);
  write('stamped.stamp', 150);
  write('old', 3);
  write('old.stamp', 2);
  write('4711.clock', 4);
  await pruneMemories(cacheDir);
  const left = readdirSync(dir);
  expect(left.filter((name) => !/^m\d+$/.test(name)).sort()).toEqual(['stamped', 'stamped.stamp']);
  expect(left).toHaveLength(101);
});
