import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { headOf, skippedTask, type TaskHead, TaskRun, withReports } from '../../../src/actions/run/task-run.ts';
import type { PlannedTask } from '../../../src/plan/planned-task.ts';
import { Mask } from '../../../src/secrets/mask.ts';

let dir: string;
let printed: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'task-run-'));
  printed = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const log = () => join(dir, 'test.log');

function begin(head: Partial<TaskHead> = {}, { prefixed = false, secrets = [] as string[] } = {}): TaskRun {
  const stream = (name: string) =>
    new Writable({
      write(chunk, _, done) {
        printed.push(`${name} ${chunk}`);
        done();
      },
    });
  const progress = {
    note: (text: string) => void printed.push(`note ${text}`),
    warn: (text: string) => void printed.push(`warn ${text}`),
    step: <T>(_: string, work: () => Promise<T>) => work(),
  };
  return new TaskRun(
    { name: 'test', text: 'npm test', log: log(), ...head },
    {
      streams: { stdout: stream('out'), stderr: stream('err'), prefixed },
      progress: progress as never,
      stop: { ask: new AbortController().signal, kill: new AbortController().signal },
      mask: new Mask(secrets.map((text) => ({ name: 'TOKEN', value: Buffer.from(text) }))),
    },
  );
}

it('announces a task, keeps its output in its log, and reports how it ended', async () => {
  const run = begin();
  await run.write('stdout', Buffer.from('ok 1\n'));
  const report = run.end({ exitCode: 0, oomKilled: false, seconds: 2 });
  await run[Symbol.asyncDispose]();
  expect(printed).toEqual(['note > test: npm test', 'out ok 1\n', 'note + test passed (2.0 s)']);
  expect(report).toEqual({ name: 'test', state: 'passed', exitCode: 0, seconds: 2, log: log() });
  expect(readFileSync(log(), 'utf8')).toBe('ok 1\n');
});

it('explains an exit code where the task itself does not, the nearest cause first', async () => {
  const explain = () => 'git found no repository';
  const reports = [
    { exitCode: 137, oomKilled: true, explain },
    { exitCode: 127, oomKilled: false, startError: 'exec format error', explain },
    { exitCode: 127, oomKilled: false, explain },
    { exitCode: 128, oomKilled: false, explain },
    { exitCode: 1, oomKilled: false },
  ].map((end) => {
    const run = begin();
    const { because } = run.end({ ...end, seconds: 1 });
    void run[Symbol.asyncDispose]();
    return because;
  });
  expect(reports).toEqual([
    'it was killed for using more memory than its limit; raise resources.memory in gbuild.yml',
    'it could not be started: exec format error',
    'a command was not found; is it in the toolchain, or installed by a task this one needs?',
    'git found no repository',
    undefined,
  ]);
  expect(printed.filter((line) => line.startsWith('warn'))).toHaveLength(4);
});

it('masks secrets in the announcement, the output, the log and the explanation', async () => {
  const run = begin({ text: 'curl -u hunter22 x' }, { secrets: ['hunter22'] });
  await run.write('stderr', Buffer.from('with hunter22\n'));
  const { because } = run.end({ exitCode: 3, oomKilled: false, explain: () => 'hunter22 was refused' });
  await run[Symbol.asyncDispose]();
  expect(because).toBe('*** was refused');
  expect(`${printed.join('\n')}${readFileSync(log(), 'utf8')}`).not.toContain('hunter22');
});

it('goes on in a log that exists, and names the task on each line where tasks may overlap', async () => {
  writeFileSync(log(), 'before\n');
  const run = begin({ append: true }, { prefixed: true });
  await run.write('stdout', Buffer.from('after\n'));
  await run[Symbol.asyncDispose]();
  expect(printed).toContain('out test | after\n');
  expect(readFileSync(log(), 'utf8')).toBe('before\nafter\n');
});

it('warns of a log that is not complete', async () => {
  const run = begin({ log: '/dev/full' });
  await run.write('stdout', Buffer.from('much\n'));
  await run[Symbol.asyncDispose]();
  expect(printed.at(-1)).toMatch(/^warn the log \/dev\/full is not complete: ENOSPC/);
});

it('asks the task to stop at its time limit', async () => {
  await using run = begin({ timeout: 0.01 });
  await new Promise((resolve) => run.stop.ask.addEventListener('abort', resolve));
  expect(run.stop.ask.reason).toMatchObject({ code: 'timed-out', facts: { task: 'test', timeout: 0.01 } });
});

it('names the log after the task, and shows the first line of its command without the shell around it', () => {
  const task = (command: string[]) => ({ name: 'a/test', timeout: 5, command }) as PlannedTask;
  expect(headOf(task(['/bin/sh', '-ec', 'npm test "$@"', 'sh', '--only', 'x']), '/logs')).toEqual({
    name: 'a/test',
    timeout: 5,
    text: 'npm test --only x',
    log: '/logs/a_test.log',
  });
  expect(headOf(task(['/bin/sh', '-ec', 'one\ntwo']), '/logs').text).toBe('one ...');
});

it('lists the reports of tasks that ran, and says of a skipped task what it needed', () => {
  writeFileSync(join(dir, 'b.xml'), '');
  const tasks = [
    { name: 'test', reports: ['*.xml'] },
    { name: 'late', reports: ['*.xml'] },
  ] as PlannedTask[];
  const ran = { name: 'test', state: 'passed' as const };
  expect(withReports(dir, tasks, [ran, skippedTask('late', 'test')])).toEqual([
    { ...ran, reports: ['b.xml'] },
    { name: 'late', state: 'skipped', because: 'test did not succeed' },
  ]);
});
