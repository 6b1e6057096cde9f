import { expect, test } from 'vitest';
import { chooseRun } from '../../../src/actions/run/choose-run.ts';
import { type DetachedTask, formatDetached, parseDetached } from '../../../src/actions/session/detached-record.ts';
import { errorOf } from '../../support/assert/error-of.ts';

const task: DetachedTask = {
  runId: '1-a',
  task: 'test',
  repository: 'app',
  rootDir: '/app',
  engine: 'tcp://engine:2375',
  choice: { host: 'tcp://engine:2375' },
  watched: { id: '0f', tty: false, seen: { stdout: 1, stderr: 0 }, graceSeconds: 10 },
  reports: ['out/*.xml'],
  log: '/log',
  copy: { volume: 'v', image: 'i' },
};
const other = { ...task, runId: '2-b', task: 'build' };
const unclear = { runId: '3-c', file: '/state/3-c.test.json' };

test('what was written of a task is read again, with a copy and without', () => {
  const { copy: _, ...bound } = task;
  expect([parseDetached(formatDetached(task)), parseDetached(formatDetached(bound))]).toEqual([task, bound]);
});

test.each<[what: string, change: (record: Record<string, unknown>) => unknown]>([
  ['of another version', (record) => ({ ...record, version: 2 })],
  ['of a gbuild that knew no version', ({ version: _, ...record }) => record],
  ['without something', ({ watched: _, ...record }) => record],
  ['with another kind of thing', (record) => ({ ...record, reports: 'all' })],
  ['with another kind of thing deeper down', (record) => ({ ...record, copy: { volume: 1, image: 'i' } })],
  ['with a count below zero', (record) => ({ ...record, watched: { ...task.watched, graceSeconds: -1 } })],
  ['that is a list', (record) => [record]],
  ['that is nothing', () => null],
])('a record %s is not understood', (_, change) => {
  expect(parseDetached(JSON.stringify(change(JSON.parse(formatDetached(task)))))).toBe(undefined);
});

test('a record that was cut off is not understood', () => {
  expect(['', formatDetached(task).slice(0, -4)].map(parseDetached)).toEqual([undefined, undefined]);
});

test('the only run is meant where none is named, otherwise the named one', () => {
  expect(chooseRun({ tasks: [task], unclear: [] }, undefined)).toEqual([task]);
  expect(chooseRun({ tasks: [task, other], unclear: [unclear] }, '2-b')).toEqual([other]);
});

test('a run that is none, or one of several, is asked for', async () => {
  const detached = { tasks: [task, other], unclear: [unclear] };
  expect(await errorOf(() => chooseRun({ tasks: [], unclear: [] }, '1-a'))).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "no run has lost its engine",
      "suggestions": [
        "gbuild test",
      ],
    }
  `);
  expect(await errorOf(() => chooseRun(detached, undefined))).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "which run is meant: 1-a (test of app, tcp://engine:2375), 2-b (build of app, tcp://engine:2375), 3-c (of another gbuild)",
      "suggestions": [
        "gbuild attach 1-a",
        "gbuild attach 2-b",
        "gbuild attach 3-c",
      ],
    }
  `);
  expect(await errorOf(() => chooseRun(detached, '9-z'))).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "there is no run 9-z that lost its engine: 1-a (test of app, tcp://engine:2375), 2-b (build of app, tcp://engine:2375), 3-c (of another gbuild)",
      "suggestions": [
        "gbuild attach 1-a",
        "gbuild attach 2-b",
        "gbuild attach 3-c",
      ],
    }
  `);
});

test('one whose record cannot be understood is told so, also where other tasks of it can', async () => {
  expect(await errorOf(() => chooseRun({ tasks: [], unclear: [unclear] }, undefined))).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "what is remembered of the run 3-c cannot be understood: another gbuild wrote it, or it is damaged (/state/3-c.test.json)",
      "suggestions": [
        "attach with the gbuild that started the run",
        "rm '/state/3-c.test.json'  # and the next run removes what it left on the engine",
      ],
    }
  `);
  const half = { tasks: [task], unclear: [{ ...unclear, runId: task.runId }] };
  expect((await errorOf(() => chooseRun(half, '1-a'))).message).toContain('cannot be understood');
});
