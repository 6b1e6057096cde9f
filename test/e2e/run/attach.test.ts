import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { type Cli, openCli } from '../../support/cli/cli.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { listLeft } from '../../support/engines/engine-left.ts';
import { type BreakableLine, openBreakableLine } from '../../support/network/breakable-line.ts';

const engine = inject('engineHost');
let line: BreakableLine;
let cli: Cli;
beforeEach(async () => {
  line = await openBreakableLine(engine);
  cli = openCli({ engine: line.host, toolchain: inject('baseImage') });
});
afterEach(async () => {
  cli[Symbol.dispose]();
  await line[Symbol.asyncDispose]();
});

const findContainers = async (repository: string) =>
  (await listLeft(engine, `io.gbuild.repository=${repository}`)).containers;
const plain = (text: string) =>
  cli
    .plain(text)
    .replaceAll(line.host, 'ENGINE')
    .replace(/container [0-9a-f]{12}/, 'container ID');
/** Forty lines in four seconds, the last of them without an end. */
const talk =
  'for i in $(seq 1 40); do echo line $i; sleep 0.1; done; printf end; mkdir -p out; echo x > out/report.xml; exit 9';
const spoken = (from: number) =>
  `${Array.from({ length: 41 - from }, (_, index) => `line ${from + index}\n`).join('')}end`;

test('a connection that drops for some seconds is waited for: the run ends as if nothing had been', async () => {
  const cwd = cli.tasks('e2e-away', `tasks:\n  test: {run: '${talk}', reports: [out/*.xml]}\n`);
  const running = cli.start(['test', '--json'], { cwd });
  await running.until('line 5\n');
  line.cut();
  await sleep(6_000);
  line.restore();
  const { exitCode, stdout, stderr } = await running.ended;
  const { error } = JSON.parse(stdout);
  expect([exitCode, error.facts.tasks[0]]).toMatchObject([
    9,
    { name: 'test', exitCode: 9, reports: ['out/report.xml'] },
  ]);
  expect(readFileSync(error.facts.tasks[0].log, 'utf8')).toBe(spoken(1));
  expect(plain(stderr)).toContain('warning: test: the connection to ENGINE is lost; asking again for <time>');
  expect(await findContainers('e2e-away')).toEqual([]);
});

test('one that stays away ends the run with exit code 3; other runs leave the task alone, and one attaches to it again', async () => {
  const env = { GBUILD_RECONNECT: '1s' };
  const cwd = cli.tasks('e2e-stays', `tasks:\n  test: {run: '${talk}', reports: [out/*.xml]}\n  next: 'true'\n`);
  const running = cli.start(['test'], { cwd, env });
  await running.until('line 5\n');
  line.cut();
  const lost = await running.ended;
  expect(lost.exitCode).toBe(3);
  const seen = lost.stdout.trimEnd().split('\n').length;
  const [, runId] = /try: gbuild attach (\S+)/.exec(lost.stderr) ?? [];
  expect(plain(lost.stderr).split('\n').slice(1)).toMatchInlineSnapshot(`
    [
      "> test: for i in $(seq 1 40); do echo line $i; sleep 0.1; done; printf end; mkdir -p out; echo x > out/report.xml; exit 9",
      "warning: test: the connection to ENGINE is lost; asking again for <time>, the task goes on there",
      "error: test: the engine at ENGINE has been away for <time>; the container ID goes on there unless the engine itself has ended",
      "  try: gbuild attach <run>",
      "  try: gbuild doctor",
      "",
    ]
  `);
  line.restore();
  expect((await cli.run(['run', 'next'], { cwd, env: { DOCKER_HOST: engine } })).exitCode).toBe(0);
  expect((await cli.run(['clean'], { cwd })).stdout).toContain('removed 0 containers, ');
  expect(await findContainers('e2e-stays')).toHaveLength(1);

  const wrong = await cli.run(['attach', 'nowhere'], { cwd });
  expect([wrong.exitCode, plain(wrong.stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: there is no run nowhere that lost its engine: <run> (test of e2e-stays, ENGINE)
      try: gbuild attach <run>
    ",
    ]
  `);
  const attached = await cli.run(['attach', runId!], { cwd: cli.dir });
  expect([attached.exitCode, attached.stdout]).toEqual([9, spoken(seen + 1)]);
  expect(plain(attached.stderr)).toMatchInlineSnapshot(`
    "> test: its output goes on where it stopped
    x test failed (<time>)
    error: task test failed with exit code 9
      try: less <dir>/state/gbuild/runs/<run>/test.log
    "
  `);
  expect(readFileSync(join(cli.stateDir, 'runs', runId!, 'test.log'), 'utf8')).toBe(spoken(1));
  expect(await findContainers('e2e-stays')).toEqual([]);
  const again = await cli.run(['attach'], { cwd });
  expect([again.exitCode, again.stderr]).toMatchInlineSnapshot(`
    [
      2,
      "error: no run can be attached to: none has lost its engine
      try: gbuild test
    ",
    ]
  `);
});

test('the record of a run that another gbuild wrote is refused, and is no bug', async () => {
  mkdirSync(join(cli.stateDir, 'detached'), { recursive: true });
  writeFileSync(join(cli.stateDir, 'detached/20261124120000000-0f1e2d3c.test.json'), '{"version":99}');
  const { exitCode, stderr } = await cli.run(['attach']);
  expect([exitCode, plain(stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: the record of the run <run> cannot be read: its format is not 1, the one that this gbuild reads (<dir>/state/gbuild/detached/<run>.test.json); another gbuild wrote it, or it is damaged
      try: attach with the gbuild that started the run
      try: rm <dir>/state/gbuild/detached/<run>.test.json  # then the next run removes what this one left on the engine
    ",
    ]
  `);
});

test('an interrupt while one is attached stops the task', async () => {
  const cwd = cli.tasks('e2e-stays-stopped', 'tasks:\n  test: echo ready; sleep 2; echo steady; sleep 600\n');
  const running = cli.start(['test'], { cwd, env: { GBUILD_RECONNECT: '1s' } });
  await running.until('ready\n');
  line.cut();
  expect((await running.ended).exitCode).toBe(3);
  line.restore();
  const attached = cli.start(['attach'], { cwd });
  await attached.until('steady\n');
  attached.kill('SIGINT');
  expect((await attached.ended).exitCode).toBe(130);
  expect(await findContainers('e2e-stays-stopped')).toEqual([]);
  expect((await cli.run(['attach'], { cwd })).stderr).toContain('no run can be attached to: none has lost its engine');
});

test('the output of a task that was given secrets is on no disk of the engine: a lost connection ends it', async () => {
  const cwd = cli.tasks(
    'e2e-stays-secret',
    'secrets: {KEY: {env: KEY}}\ntasks:\n  test: {run: "cat /run/secrets/KEY; echo; echo ready; sleep 600", secrets: [KEY]}\n  next: "true"\n',
  );
  const running = cli.start(['test'], { cwd, env: { GBUILD_RECONNECT: '1s', KEY: 'correct horse battery' } });
  await running.until('ready\n');
  const [id] = await findContainers('e2e-stays-secret');
  const { HostConfig } = JSON.parse((await askEngine(engine, 'GET', `/containers/${id}/json`)).text);
  expect(HostConfig.LogConfig.Type).toBe('none');
  line.cut();
  const { exitCode, stderr } = await running.ended;
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining('went away')]);
  expect(stderr).not.toContain('attach');
  line.restore();
  expect((await cli.run(['run', 'next'], { cwd })).exitCode).toBe(0);
  expect(await findContainers('e2e-stays-secret')).toEqual([]);
});
