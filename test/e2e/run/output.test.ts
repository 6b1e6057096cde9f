import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { type CallOptions, openCli } from '../../support/cli/cli.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage') });
afterAll(() => cli[Symbol.dispose]());

const escapeCode = String.fromCharCode(27);

/** The one log that a run named by its order of time has written. */
function readLastLog(task: string): string {
  const runs = join(cli.stateDir, 'runs');
  return readFileSync(join(runs, readdirSync(runs).sort().at(-1)!, `${task}.log`), 'utf8');
}

describe('the output of a task', () => {
  test('of 200,000 lines arrives whole and in order, and so does its log', async () => {
    const cwd = cli.tasks('e2e-lines', 'tasks:\n  test: seq 1 200000\n');
    const { stdout } = await cli.run(['test'], { cwd });
    const wanted = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join('');
    expect(stdout === wanted).toBe(true);
    expect(readLastLog('test') === wanted).toBe(true);
  });

  test('keeps its two streams apart, bytes as they come, and the log has both', async () => {
    const cwd = cli.tasks(
      'e2e-streams',
      String.raw`tasks: {test: "printf 'out \\303\\244 \\001 no end'; echo wrong >&2"}`,
    );
    const { stdout, stderr } = await cli.run(['test', '--quiet'], { cwd });
    const log = readLastLog('test');
    expect([stdout, stderr]).toEqual(['out ä \u0001 no end', 'wrong\n']);
    expect([`${stdout}${stderr}`, `${stderr}${stdout}`]).toContain(log);
  });

  test('comes as it is made, not at the end', async () => {
    const cwd = cli.tasks('e2e-live', 'tasks:\n  test: echo first; until [ -e go ]; do sleep 0.1; done; echo last\n');
    const running = cli.start(['test'], { cwd });
    await running.until('first\n');
    writeFileSync(join(cwd, 'go'), '');
    expect((await running.ended).stdout).toBe('first\nlast\n');
  });

  test('carries the name of its task on every line in CI', async () => {
    const cwd = cli.tasks('e2e-ci', 'tasks:\n  test: echo one; echo; printf last; echo "$CI" > ci\n');
    const { stdout, stderr } = await cli.run(['test'], { cwd, env: { CI: 'true' } });
    expect([stdout, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        "test | one
      test | 
      test | last
      ",
        "gbuild-test/base:bookworm is gbuild-test/base bookworm: written to gbuild.lock; commit it
      > test: echo one; echo; printf last; echo "$CI" > ci
      + test passed (<time>)
      test passed with gbuild-test/base bookworm in <time>
      ",
      ]
    `);
    expect(readFileSync(join(cwd, 'ci'), 'utf8')).toBe('true\n');
  });
});

describe('stdout', () => {
  test('is one JSON document with --json, and the task writes to stderr', async () => {
    const cwd = cli.tasks('e2e-json', 'tasks:\n  test: echo "{"; echo wrong >&2\n');
    const { stdout, stderr } = await cli.run(['test', '--json'], { cwd });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      repository: 'e2e-json',
      toolchain: { request: inject('baseImage') },
      engine: { url: engine, reason: expect.any(String) },
      tasks: [{ name: 'test', state: 'passed', exitCode: 0, seconds: expect.any(Number), log: expect.any(String) }],
    });
    for (const text of [stderr, readFileSync(report.tasks[0].log, 'utf8')])
      for (const line of ['{', 'wrong']) expect(text.split('\n')).toContain(line);
  });

  test('is one JSON document with --json when it fails, whatever failed', async () => {
    const cwd = cli.tasks('e2e-json-failing', 'tasks:\n  test: exit 7\n');
    for (const [args, error] of [
      [['test'], { code: 'task-failed', exitCode: 7 }],
      [['run', 'tset'], { code: 'usage', exitCode: 2 }],
      [['test', '--nonsense'], { code: 'usage', exitCode: 2 }],
      [['nonsense'], { code: 'usage', exitCode: 2 }],
      [['test', '--host', 'tcp://127.0.0.1:1'], { code: 'engine-unreachable', exitCode: 3 }],
    ] as const) {
      const { stdout, exitCode } = await cli.run([...args, '--json'], { cwd });
      expect([args, exitCode, JSON.parse(stdout)]).toMatchObject([args, error.exitCode, { error }]);
    }
  });

  test("is the task's alone, with --quiet or without", async () => {
    const cwd = cli.tasks('e2e-pure', 'tasks:\n  test: echo result\n');
    expect((await cli.run(['test'], { cwd })).stdout).toBe('result\n');
    expect(await cli.run(['test', '--quiet'], { cwd })).toEqual({ exitCode: 0, stdout: 'result\n', stderr: '' });
  });

  test('may be closed early by its reader', async () => {
    const cwd = cli.tasks('e2e-closed', 'tasks:\n  test: yes | head -n 300000; echo end >&2\n');
    const running = cli.start(['test'], { cwd });
    await running.until('y\n');
    running.closeStdout();
    const { exitCode } = await running.ended;
    expect([exitCode, running.output().includes('end\n')]).toEqual([0, true]);
  });
});

describe('on a terminal', () => {
  const onTerminal = (env: CallOptions['env'] = {}): CallOptions => ({
    terminal: true,
    env: { TERM: 'xterm', ...env },
  });

  test('a task sees one too', async () => {
    const cwd = cli.tasks('e2e-tty', 'tasks:\n  test: "[ -t 1 ] && [ -t 2 ] && echo drawn on $TERM"\n');
    const { stdout, exitCode } = await cli.run(['test'], { cwd, ...onTerminal() });
    expect([exitCode, stdout.includes('drawn on xterm')], stdout).toEqual([0, true]);
  });

  test('a task sees none in CI or with --json', async () => {
    const cwd = cli.tasks('e2e-no-tty', 'tasks:\n  test: "[ ! -t 1 ] && echo plain"\n');
    for (const call of [
      { args: ['test'], env: { CI: '1' } },
      { args: ['test', '--json'], env: {} },
    ]) {
      const { stdout, exitCode } = await cli.run(call.args, { cwd, ...onTerminal(call.env) });
      expect([exitCode, stdout.includes('plain')], stdout).toEqual([0, true]);
    }
  });

  test('mistakes are red, unless NO_COLOR is set', async () => {
    const cwd = cli.tasks('e2e-colour', 'tasks:\n  test: exit 1\n');
    const coloured = await cli.run(['test'], { cwd, ...onTerminal() });
    expect(coloured.stdout).toContain(`${escapeCode}[31merror:`);
    const plain = await cli.run(['test'], { cwd, ...onTerminal({ NO_COLOR: '1' }) });
    expect([plain.exitCode, plain.stdout.includes('error:'), plain.stdout.includes(`${escapeCode}[3`)]).toEqual([
      1,
      true,
      false,
    ]);
  });

  test("the exit code is still the task's own", async () => {
    const cwd = cli.tasks('e2e-tty-exit', 'tasks:\n  test: exit 7\n');
    expect((await cli.run(['test'], { cwd, ...onTerminal() })).exitCode).toBe(7);
  });
});

describe('gbuild shell', () => {
  test('without a terminal runs what comes on standard input, in the same container as tasks', async () => {
    const cwd = cli.tasks('e2e-shell', 'env: {OWN: spec}\ntasks:\n  test: "true"\n');
    const { stdout, exitCode } = await cli.run(['shell'], {
      cwd,
      input: 'pwd\necho $OWN\nwhile read line; do echo "[$line]"; done\na\nb\n',
    });
    expect([exitCode, stdout]).toEqual([0, '/workspace\nspec\n[a]\n[b]\n']);
  });

  test("answers the shell's exit code", async () => {
    const cwd = cli.tasks('e2e-shell-exit', 'tasks:\n  test: "true"\n');
    expect((await cli.run(['shell'], { cwd, input: 'exit 5\n' })).exitCode).toBe(5);
  });

  test.each([
    ['an empty one', '< /dev/null', 0, '', ''],
    ['none', '<&-', 0, '', ''],
    ['a folder, which has no text', '< .', 0, '', ''],
    ['a file', '< commands.txt', 7, 'from a file\n', ''],
    ['one that only takes output', '0> only-written', 2, '', 'error: standard input cannot be read (EBADF'],
  ])('takes any kind of standard input: %s', async (_, redirect, exitCode, stdout, stderr) => {
    const files = { 'commands.txt': 'echo from a file\nexit 7\n' };
    const cwd = cli.tasks(`e2e-shell-${exitCode}-${redirect.length}`, 'tasks:\n  test: "true"\n', files);
    const result = await cli.run(['shell'], { cwd, redirect });
    expect([result.exitCode, result.stdout]).toEqual([exitCode, stdout]);
    expect(result.stderr).toContain(stderr);
    expect(result.stderr).not.toContain('a bug in gbuild');
  });

  test('on a terminal is interactive: it echoes itself, once, and Ctrl-C is for what runs in it', async () => {
    const cwd = cli.tasks('e2e-shell-tty', 'tasks:\n  test: "true"\n');
    const running = cli.start(['shell'], { cwd, terminal: true, env: { TERM: 'dumb' }, input: 'open' });
    await running.until(/workspace[#$] /);
    running.type('[ -t 0 ] && sh -c "echo yes\\$((40 + 2)); exec sleep 600"\n');
    await running.until('yes42');
    running.type('\u0003');
    await running.until(/\^C[\s\S]*workspace[#$] /);
    running.type('exit 6\n');
    const { exitCode, stdout } = await running.ended;
    expect([exitCode, stdout.match(/sleep 600/g)?.length], stdout).toEqual([6, 1]);
  });
});
