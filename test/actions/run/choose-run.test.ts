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
const unclear = { runId: '3-c', file: '/state/3-c.test.json', fault: 'it is not JSON' };

test('what was written of a task is read again, with a copy and services and without', () => {
  const { copy: _, ...bound } = task;
  const served = { ...task, services: [{ name: 'db', id: '1f', log: '/db.log' }] };
  for (const each of [task, bound, served]) expect(parseDetached(formatDetached(each))).toEqual({ task: each });
});

type Change = (record: Record<string, unknown>) => unknown;
const ofAnotherFormat = 'its format is not 1, the one that this gbuild reads';

test.each<[what: string, change: Change, fault: string]>([
  ['of another version', (record) => ({ ...record, version: 2 }), ofAnotherFormat],
  ['of a gbuild that knew no version', ({ version: _, ...record }) => record, ofAnotherFormat],
  [
    'without something',
    ({ watched: _, ...record }) => record,
    'watched: Invalid input: expected object, received undefined',
  ],
  [
    'with another kind of thing',
    (record) => ({ ...record, reports: 'all' }),
    'reports: Invalid input: expected array, received string',
  ],
  [
    'with another kind of thing deeper down',
    (record) => ({ ...record, copy: { volume: 1, image: 'i' } }),
    'copy.volume: Invalid input: expected string, received number',
  ],
  [
    'with a service that has no log',
    (record) => ({ ...record, services: [{ name: 'db', id: '1f' }] }),
    'services.0.log: Invalid input: expected string, received undefined',
  ],
  [
    'with a count below zero',
    (record) => ({ ...record, watched: { ...task.watched, graceSeconds: -1 } }),
    'watched.graceSeconds: Too small: expected number to be >=0',
  ],
  ['that is a list', (record) => [record], 'Invalid input: expected object, received array'],
  ['that is nothing', () => null, 'Invalid input: expected object, received null'],
])('a record %s is refused with the reason', (_, change, fault) => {
  expect(parseDetached(JSON.stringify(change(JSON.parse(formatDetached(task)))))).toEqual({ fault });
});

test('a record that was cut off is refused with the reason', () => {
  for (const text of ['', formatDetached(task).slice(0, -4)])
    expect(parseDetached(text)).toEqual({ fault: 'it is not JSON' });
});

test('a refusal shows no value of the record', () => {
  const record = { ...JSON.parse(formatDetached(task)), choice: { host: ['tcp://me:secret@engine'] } };
  expect(JSON.stringify(parseDetached(JSON.stringify(record)))).not.toContain('secret');
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
      "message": "no run can be attached to: none has lost its engine",
      "suggestions": [
        "gbuild test",
      ],
    }
  `);
  expect(await errorOf(() => chooseRun(detached, undefined))).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "several runs can be attached to: 1-a (test of app, tcp://engine:2375), 2-b (build of app, tcp://engine:2375), 3-c (its record cannot be read)",
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
      "message": "there is no run 9-z that lost its engine: 1-a (test of app, tcp://engine:2375), 2-b (build of app, tcp://engine:2375), 3-c (its record cannot be read)",
      "suggestions": [
        "gbuild attach 1-a",
        "gbuild attach 2-b",
        "gbuild attach 3-c",
      ],
    }
  `);
});

test('a run whose record cannot be read is refused with the reason, also where other tasks of it can', async () => {
  expect(await errorOf(() => chooseRun({ tasks: [], unclear: [unclear] }, undefined))).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "the record of the run 3-c cannot be read: it is not JSON (/state/3-c.test.json); another gbuild wrote it, or it is damaged",
      "suggestions": [
        "attach with the gbuild that started the run",
        "rm /state/3-c.test.json  # then the next run removes what this one left on the engine",
      ],
    }
  `);
  const half = { tasks: [task], unclear: [{ ...unclear, runId: task.runId }] };
  expect((await errorOf(() => chooseRun(half, '1-a'))).message).toContain('cannot be read');
});
