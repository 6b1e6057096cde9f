import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Cli, git, openCli } from '../../support/cli/cli.ts';
import { type EngineContainer, startEngineContainer } from '../../support/engines/engine-container.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { listLeft, nothingLeft } from '../../support/engines/engine-left.ts';

const outer = inject('engineHost');
const engines: EngineContainer[] = [];
let cli: Cli;
beforeAll(async () => {
  cli = openCli({ engine: outer, toolchain: inject('baseImage'), ownCache: true, env: { GBUILD_RECONNECT: '1s' } });
  engines.push(...(await Promise.all([startEngineContainer(outer), startEngineContainer(outer)])));
});
afterAll(async () => {
  for (const engine of engines) await engine[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

const files = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`test/${name}.sh`, `echo ${name}\n`]));
const ignored = { '.gitignore': 'reports/\n' };

/** A task that says which files it has, as a test program would report them. */
const reporting = `tasks:
  prepare: echo prepared > made
  test:
    needs: [prepare]
    workdir: test
    run: |
      cat ../made
      for file in $(cat "$GBUILD_SHARD_FILES"); do sh $file; done
      mkdir -p ../reports
      { echo '<testsuites>'
        for file in $(cat "$GBUILD_SHARD_FILES"); do
          echo "<testcase name='it' file='test/$file' time='$(cat ../times/$file 2>/dev/null || echo 1)'/>"
        done
        echo '</testsuites>'; } > ../reports/junit.xml
      echo $GBUILD_SHARD of $GBUILD_SHARDS > ../reports/own.txt
      echo same > ../reports/same.txt
      echo changed > a.sh
    split: [test/*.sh]
    reports: [reports/*]
`;

interface Answer {
  shards: { number: number; on: string; tries: number; files: Record<string, string[]>; tasks: { state: string }[] }[];
  reports: string[];
}

async function runJson(args: string[], cwd: string, env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await cli.run([...args, '--json'], { cwd, env });
  const answer = JSON.parse(stdout) as Answer & { error?: { message: string; facts: Answer } };
  return { exitCode, stderr, answer: answer.error?.facts ?? answer, message: answer.error?.message };
}

const label = (name: string) => `io.gbuild.repository=${name}`;

test('a task in shards: outputs in order, reports as one, the workspace as it was; the next time parts are made by time', async () => {
  const times = { 'times/a.sh': '10', 'times/b.sh': '4', 'times/c.sh': '3', 'times/d.sh': '2', 'times/e.sh': '1' };
  const cwd = cli.tasks('shards-parts', reporting, { ...files, ...ignored, ...times });
  const first = await cli.run(['test', '--shards', '2'], { cwd });
  expect([first.exitCode, first.stdout], first.stderr).toEqual([0, 'prepared\na\nc\ne\nprepared\nb\nd\n']);
  expect(cli.plain(first.stderr).replace(/its copy .*\n/g, '')).toMatchInlineSnapshot(`
    "gbuild-test/base:bookworm is gbuild-test/base bookworm: written to gbuild.lock; commit it
    > shard 1 of 2 on the engine
    > prepare: echo prepared > made
    + prepare passed (<time>)
    > test: cat ../made ...
    + test passed (<time>)
    + shard 1 of 2 passed on the engine (<time>)
    > shard 2 of 2 on the engine
    > prepare: echo prepared > made
    + prepare passed (<time>)
    > test: cat ../made ...
    + test passed (<time>)
    + shard 2 of 2 passed on the engine (<time>)
    prepare, test passed in 2 shards with gbuild-test/base bookworm in <time>
    "
  `);
  const report = readFileSync(join(cwd, 'reports/junit.xml'), 'utf8');
  expect(report.match(/file='[^']*' time='[^']*'/g)).toEqual(
    ['a.sh', 'c.sh', 'e.sh', 'b.sh', 'd.sh'].map(
      (file) => `file='test/${file}' time='${times[`times/${file}` as 'times/a.sh']}'`,
    ),
  );
  expect(readFileSync(join(cwd, 'reports/own.shard-2.txt'), 'utf8')).toBe('2 of 2\n');
  expect(git(cwd, 'status', '--porcelain')).toBe('?? gbuild.lock');
  const { exitCode, answer } = await runJson(['test', '--shards', '2'], cwd);
  expect([exitCode, answer.shards.map((shard) => shard.files.test), answer.reports]).toEqual([
    0,
    [['test/a.sh'], ['test/b.sh', 'test/c.sh', 'test/d.sh', 'test/e.sh']],
    ['reports/junit.xml', 'reports/own.shard-1.txt', 'reports/own.shard-2.txt', 'reports/same.txt'],
  ]);
  expect(await listLeft(outer, label('shards-parts'))).toEqual(nothingLeft);
});

test('a run that is not divided has all files, and is one shard of one', async () => {
  const cwd = cli.tasks('shards-whole', reporting, { ...files, ...ignored });
  const { exitCode, stdout } = await cli.run(['test'], { cwd });
  expect([exitCode, stdout, readFileSync(join(cwd, 'reports/own.txt'), 'utf8')]).toEqual([
    0,
    'prepared\na\nb\nc\nd\ne\n',
    '1 of 1\n',
  ]);
});

test('a part alone runs in the workspace itself, with its own files; one without files has nothing to do', async () => {
  const cwd = cli.tasks('shards-part', reporting, { ...files, ...ignored });
  const part = async (text: string) => {
    const { exitCode, stdout, stderr } = await cli.run(['test', '--shard', text], { cwd });
    return [
      exitCode,
      stdout,
      stderr
        .trimEnd()
        .split('\n')
        .at(-1)
        ?.replace(/ in .*/, ''),
    ];
  };
  const passed = 'prepare, test passed with gbuild-test/base bookworm';
  expect(await part('2/3')).toEqual([0, 'prepared\nb\ne\n', passed]);
  expect(readFileSync(join(cwd, 'reports/own.txt'), 'utf8')).toBe('2 of 3\n');
  expect(await part('6/6')).toEqual([0, '', 'this part has no test files: nothing had to run']);
});

test('shards on one engine have services of their own, each by its name', async () => {
  const body = `services:
  echo: { run: 'echo $GBUILD_SHARD > here; sleep 60' }
tasks:
  test:
    run: until [ -s here ]; do sleep 0.1; done; cat here; getent hosts echo > found && cut -d' ' -f1 found | wc -l
    services: [echo]
`;
  const cwd = cli.tasks('shards-services', body);
  const { exitCode, stdout, stderr } = await cli.run(['test', '--shards', '2'], { cwd });
  expect([exitCode, stdout], stderr).toEqual([0, '1\n1\n2\n1\n']);
  expect(await listLeft(outer, label('shards-services'))).toEqual(nothingLeft);
});

test('reports of an earlier run that a copy still has are none of this one’s', async () => {
  const body = `tasks:\n  test:\n    run: mkdir -p reports; ls reports; echo x > reports/$GBUILD_SHARD-of-$GBUILD_SHARDS.txt\n    reports: [reports/*]\n`;
  const cwd = cli.tasks('shards-stale', body, ignored);
  await cli.run(['test', '--shards', '1'], { cwd });
  const { exitCode, answer, stderr } = await runJson(['test', '--shards', '2'], cwd);
  expect([exitCode, answer.reports], stderr).toEqual([0, ['reports/1-of-2.txt', 'reports/2-of-2.txt']]);
  expect(stderr).toContain('\n1-of-1.txt\n');
});

test('one that fails decides the exit code; the others run to their end, and it is told at once', async () => {
  const body = `tasks:\n  test: sleep 1; echo end $GBUILD_SHARD; [ $GBUILD_SHARD = 1 ] || exit $((GBUILD_SHARD + 4))\n`;
  const cwd = cli.tasks('shards-fail', body);
  const { exitCode, message, answer, stderr } = await runJson(['test', '--shards', '3'], cwd);
  expect([exitCode, message?.replace(/ \(.*/, '')]).toEqual([
    6,
    'shard 2 of 3: task test failed with exit code 6; shard 3 of 3: task test failed with exit code 7',
  ]);
  expect(answer.shards.map(({ tasks }) => tasks[0]!.state)).toEqual(['passed', 'failed', 'failed']);
  expect(stderr.match(/^end \d/gm)).toEqual(['end 1', 'end 2', 'end 3']);
  expect(stderr).toContain('warning: shard 2 of 3 on the engine: task test failed with exit code 6\n');
});

/** Contexts of a docker config of its own: `one` and `two`. */
function writeContexts(): string {
  const config = join(cli.dir, 'docker');
  for (const [at, name] of ['one', 'two'].entries()) {
    const id = createHash('sha256').update(name).digest('hex');
    mkdirSync(join(config, 'contexts/meta', id), { recursive: true });
    const meta = { Name: name, Endpoints: { docker: { Host: engines[at]!.host } } };
    writeFileSync(join(config, 'contexts/meta', id, 'meta.json'), JSON.stringify(meta));
  }
  return config;
}

test('contexts and addresses: every engine gets its shards, and what is said of one engine at a time does not count', async () => {
  const cwd = cli.tasks('shards-on', reporting, { ...files, ...ignored });
  const env = { DOCKER_CONFIG: writeContexts() };
  const on = `one,${engines[1]!.host},default`;
  const { exitCode, answer, stderr } = await runJson(['run', 'test', '--on', on], cwd, env);
  expect([exitCode, answer.shards.map((shard) => shard.on)], stderr).toEqual([0, on.split(',')]);
  expect(readFileSync(join(cwd, 'reports/junit.xml'), 'utf8').match(/<testcase/g)).toHaveLength(5);
  for (const { host } of engines) expect(await listLeft(host, label('shards-on'))).toEqual(nothingLeft);
});

/** The output of one repository's containers so far. */
async function readTaskLog(host: string, label: string): Promise<string> {
  const { containers } = await listLeft(host, label);
  const logs = containers.map((id) => askEngine(host, 'GET', `/containers/${id}/logs?stdout=1`));
  return (await Promise.all(logs)).map(({ text }) => text).join('');
}

test('an interrupt stops every shard on every engine, and nothing is left', async () => {
  const body = `tasks:\n  test: |\n    trap 'echo asked; exit 0' TERM\n    echo ready\n    while :; do sleep 0.1; done\n`;
  const cwd = cli.tasks('shards-stop', body);
  const running = cli.start(['test', '--on', 'one,two'], { cwd, env: { DOCKER_CONFIG: writeContexts() } });
  // The log of one shard at a time is shown, so each engine is asked.
  for (const { host } of engines)
    await expect.poll(() => readTaskLog(host, label('shards-stop')), { timeout: 60_000 }).toContain('ready\n');
  running.kill('SIGINT');
  const { exitCode, stdout, stderr } = await running.ended;
  expect([exitCode, stdout], stderr).toEqual([130, 'ready\nasked\nready\nasked\n']);
  expect(stderr).toContain('error: interrupted by SIGINT');
  for (const { host } of engines) expect(await listLeft(host, label('shards-stop'))).toEqual(nothingLeft);
  expect(existsSync(join(cli.cacheDir, 'spool')) && git(cwd, 'status', '--porcelain')).toBe('?? gbuild.lock');
});

test('a wrong call is told before any engine is asked', async () => {
  const cwd = cli.tasks('shards-wrong', 'tasks:\n  test: { run: "true", split: ["no-such/*.sh"] }\n');
  const calls = ['--on one,nowhere', '--on one,one', '--on ,', '--on one --context two', '--on swarm', '--shards 2'];
  const told = [];
  for (const call of calls) {
    const args = ['test', ...call.split(' '), '--json'];
    const { exitCode, stdout } = await cli.run(args, { cwd, env: { DOCKER_CONFIG: writeContexts() } });
    const { message, suggestions } = JSON.parse(stdout).error;
    told.push(exitCode, cli.plain(message), suggestions[0]);
  }
  expect(told).toMatchInlineSnapshot(`
    [
      2,
      "no engine is called "nowhere": the docker contexts are default, one, two, the machines in <dir>/home/.docker/machine none",
      "gbuild engine ls",
      2,
      "--on names "one" twice: --shards sets the number of parts",
      "gbuild test --on one --shards 2",
      2,
      "--on names no engine",
      "gbuild test --on default",
      2,
      "--on and --context both name engines",
      "gbuild test --on one,two",
      2,
      "--on swarm needs --shards: a swarm does not tell how many parts are good",
      "gbuild test --on swarm --shards 3",
      2,
      "tasks.test.split in gbuild.yml (no-such/*.sh) matches no file of <dir>/shards-wrong",
      "git ls-files -- ':(glob)no-such/*.sh'",
    ]
  `);
});

test('an engine that does not answer is left out; one that dies has its shard run elsewhere', async () => {
  const body = `tasks:\n  test: echo begin $GBUILD_SHARD; sleep 4; echo end $GBUILD_SHARD\n`;
  const cwd = cli.tasks('shards-dies', body);
  const env = { DOCKER_CONFIG: writeContexts() };
  const args = ['test', '--json', '--shards', '2', '--on', 'tcp://127.0.0.1:1,one,two'];
  const running = cli.start(args, { cwd, env });
  await running.until('begin 1\n');
  await engines[0]!.kill();
  const { exitCode, stdout, stderr } = await running.ended;
  const { shards } = JSON.parse(stdout) as Answer;
  expect([exitCode, shards.map(({ on, tries }) => [on, tries])], stderr).toEqual([
    0,
    [
      ['two', 2],
      ['two', 1],
    ],
  ]);
  expect(stderr.match(/^(begin|end) \d/gm)).toEqual(['begin 1', 'begin 1', 'end 1', 'begin 2', 'end 2']);
  expect(stderr).toMatch(/^warning: tcp:\/\/127.0.0.1:1 is left out: cannot reach the container engine/m);
  expect(stderr).toMatch(/^warning: shard 1 of 2: one failed: .*; it runs elsewhere$/m);
  const lost = await cli.run(['test', '--on', 'one,tcp://127.0.0.1:1'], { cwd, env });
  expect([lost.exitCode, lost.stdout]).toEqual([3, '']);
  expect(lost.stderr).toContain('error: cannot reach the container engine at');
});
