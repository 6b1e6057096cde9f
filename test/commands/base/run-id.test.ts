import { expect, test } from 'vitest';
import { newRunId } from '../../../src/commands/base/task-command.ts';

test('names of runs sort by time, also within a second, and those of one millisecond differ', () => {
  const times = [0, 1, 9, 10, 999, 1000, 60_000].map((milliseconds) => new Date(Date.UTC(2026, 0, 31) + milliseconds));
  for (let tries = 0; tries < 20; tries += 1) {
    const names = times.map((time) => newRunId(time));
    expect([...names].sort()).toEqual(names);
  }
  expect(newRunId(times[0])).not.toBe(newRunId(times[0]));
});
