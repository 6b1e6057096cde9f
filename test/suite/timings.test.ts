import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { formatDearest, readLatestTimings, type Timing, timeStep, writeTimings } from '../support/runner/timings.ts';

const script = join(import.meta.dirname, '../../scripts/compare-timings.ts');
const file = (name: string, seconds: number): Timing => ({ kind: 'file', name, seconds });
const run = (startedAt: string, seconds: number, timings: Timing[]) => ({
  projects: ['unit'],
  startedAt,
  seconds,
  timings,
});

test('the time of a file is the one of the latest run that had it', async () => {
  await using fixture = await createFixture();
  writeTimings(fixture.path, run('2026-11-30T10:00:00.000Z', 9, [file('a', 1), file('b', 2)]));
  writeTimings(fixture.path, run('2026-11-30T11:00:00.000Z', 9, [file('a', 3)]));
  expect(readLatestTimings(fixture.path)).toEqual([file('a', 3), file('b', 2)]);
  expect(readLatestTimings(join(fixture.path, 'none'))).toEqual([]);
});

test('the dearest are shown first, and no more than asked for', () => {
  const timings: Timing[] = [file('cheap', 0.04), { kind: 'step', name: 'root', seconds: 61.26 }, file('dear', 7)];
  expect(formatDearest(run('', 70, timings), 2)).toEqual(['    61.3 s  step  root', '     7.0 s  file  dear']);
});

test('a step that fails is timed too', async () => {
  await using fixture = await createFixture({ steps: '' });
  const before = process.env.GBUILD_TEST_STEPS;
  process.env.GBUILD_TEST_STEPS = fixture.getPath('steps');
  try {
    await expect(timeStep('breaks', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  } finally {
    if (before === undefined) delete process.env.GBUILD_TEST_STEPS;
    else process.env.GBUILD_TEST_STEPS = before;
  }
  const noted = JSON.parse(await fixture.readFile('steps', 'utf8'));
  expect(noted).toEqual({ kind: 'step', name: 'breaks', seconds: expect.any(Number) });
});

test('two runs are compared in a table, steps of one name added up', async () => {
  await using fixture = await createFixture();
  const step = (seconds: number): Timing => ({ kind: 'step', name: 'import', seconds });
  const before = writeTimings(fixture.path, run('1', 100, [file('a', 10), step(3), step(4)]));
  const after = writeTimings(fixture.path, run('2', 50, [file('b', 20)]));
  const table = execFileSync(process.execPath, [script, before, after, '2'], { encoding: 'utf8' });
  expect(table).toBe(
    '|  | before, s | after, s |\n| --- | ---: | ---: |\n| the whole run | 100 | 50 |\n| file b | - | 20 |\n| file a | 10 | - |\n',
  );
  expect(spawnSync(process.execPath, [script, before]).status).toBe(2);
});
