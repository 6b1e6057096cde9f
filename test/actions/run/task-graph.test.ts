import { expect, it } from 'vitest';
import { runGraph } from '../../../src/actions/run/task-graph.ts';

const tasks = (needs: Record<string, string[]>) => Object.entries(needs).map(([name, own]) => ({ name, needs: own }));

it('runs independent tasks at the same time and dependent ones after another', async () => {
  const events: string[] = [];
  let release = () => {};
  const bothRunning = new Promise<void>((resolve) => {
    release = resolve;
  });
  await runGraph(tasks({ a: [], b: [], c: ['a', 'b'] }), 2, async (name) => {
    events.push(`start ${name}`);
    if (events.includes('start a') && events.includes('start b')) release();
    if (name !== 'c') await bothRunning;
    events.push(`end ${name}`);
    return { value: name, succeeded: true };
  });
  expect(events.slice(0, 2)).toEqual(['start a', 'start b']);
  expect(events.slice(4)).toEqual(['start c', 'end c']);
});

it('never runs more tasks at once than the limit', async () => {
  let running = 0;
  let most = 0;
  await runGraph(tasks({ a: [], b: [], c: [], d: [] }), 2, async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return { value: undefined, succeeded: true };
  });
  expect(most).toBe(2);
});

it('skips what needs a failed task, however far, and still runs the rest', async () => {
  const outcomes = await runGraph(tasks({ a: [], b: ['a'], c: ['b'], d: [] }), 4, async (name) => ({
    value: name,
    succeeded: name !== 'a',
  }));
  expect(outcomes).toEqual([
    { name: 'a', state: 'done', value: 'a' },
    { name: 'b', state: 'skipped', failedNeed: 'a' },
    { name: 'c', state: 'skipped', failedNeed: 'b' },
    { name: 'd', state: 'done', value: 'd' },
  ]);
});

it('starts nothing more after an error, waits for what runs, and throws the first error', async () => {
  const started: string[] = [];
  const ended: string[] = [];
  const run = runGraph(tasks({ a: [], b: [], c: [] }), 2, async (name) => {
    started.push(name);
    if (name === 'a') throw new Error('the engine is gone');
    await new Promise((resolve) => setTimeout(resolve, 20));
    ended.push(name);
    return { value: name, succeeded: true };
  });
  await expect(run).rejects.toThrow('the engine is gone');
  expect([started, ended]).toEqual([['a', 'b'], ['b']]);
});
