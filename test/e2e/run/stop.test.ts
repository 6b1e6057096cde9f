import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { listLeft, nothingLeft } from '../../support/engines/engine-left.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage'), ownCache: true });
const name = `e2e-stop-${process.pid}`;
afterAll(() => cli[Symbol.dispose]());
afterEach(async () => {
  expect(await listLeft(engine, `io.gbuild.repository=${name}`)).toEqual(nothingLeft);
});

/** A task that says when it runs, and when it is asked to stop. */
const listening = `|\n    trap 'echo asked; exit 0' TERM\n    echo ready\n    while :; do sleep 0.1; done\n`;

describe('a signal during a run', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s asks the container to stop, removes it and ends with %i', async (signal, code) => {
    const cwd = cli.tasks(name, `tasks:\n  test: ${listening}`);
    const running = cli.start(['test'], { cwd });
    await running.until('ready\n');
    running.kill(signal);
    const { exitCode, stdout, stderr } = await running.ended;
    expect([exitCode, stdout]).toEqual([code, 'ready\nasked\n']);
    expect(stderr).toContain(`error: interrupted by ${signal}`);
  });

  test('a second one kills a container that does not listen; the first one decides the exit code', async () => {
    const deaf = `|\n    trap 'echo asked' TERM\n    echo ready\n    while :; do sleep 0.1; echo tick; done\n`;
    const cwd = cli.tasks(name, `tasks:\n  test: ${deaf}`);
    const running = cli.start(['test'], { cwd });
    await running.until('ready\n');
    running.kill('SIGINT');
    await running.until('asked\n');
    running.kill('SIGTERM');
    const { exitCode, stdout } = await running.ended;
    // The first signal alone gives the task ten seconds, a hundred ticks.
    const ticks = stdout.slice(stdout.indexOf('asked')).match(/tick/g)?.length ?? 0;
    expect([exitCode, ticks < 50]).toEqual([130, true]);
  });

  test('stops all tasks that run, starts none after them and answers JSON that says so', async () => {
    const cwd = cli.tasks(
      name,
      `tasks:\n  left: ${listening}  right: ${listening}  test: {run: touch never, needs: [left, right]}\n`,
    );
    const running = cli.start(['test', '--json'], { cwd });
    await running.until('left | ready\n');
    await running.until('right | ready\n');
    running.kill('SIGINT');
    const { exitCode, stdout, stderr } = await running.ended;
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([130, { error: { code: 'interrupted', exitCode: 130 } }]);
    expect([stderr.match(/\| asked/g)?.length, existsSync(join(cwd, 'never'))]).toEqual([2, false]);
  });

  test('the process group of a terminal gets it too: one Ctrl-C is one', async () => {
    const cwd = cli.tasks(name, `tasks:\n  test: ${listening}`);
    const running = cli.start(['test'], { cwd, terminal: true, input: 'open', env: { TERM: 'dumb' } });
    await running.until('ready');
    running.type('\u0003');
    const { exitCode, stdout } = await running.ended;
    expect([exitCode, stdout.includes('asked')], stdout).toEqual([130, true]);
  });
});

describe('a signal before or after the task', () => {
  test('while the toolchain is made ends the build, and nothing half-made stays', async () => {
    const cwd = cli.repository(`${name}-toolchain`, {
      'gbuild.yml': `gbuild: 1\nname: ${name}\ntoolchain: ./tools\ntasks:\n  test: "true"\n`,
      'tools/Dockerfile': `FROM ${inject('baseImage')} AS build\nRUN echo started && sleep 600\n`,
    });
    const running = cli.start(['test', '--verbose'], { cwd });
    await running.until('started');
    running.kill('SIGINT');
    const { exitCode, stderr } = await running.ended;
    expect([exitCode, stderr]).toEqual([130, expect.stringContaining('error: interrupted by SIGINT')]);
    expect([existsSync(join(cwd, 'gbuild.lock')), listFiles(join(cli.cacheDir, 'locks'))]).toEqual([false, []]);
  });

  test('while the container is removed', async () => {
    const cwd = cli.tasks(name, 'tasks:\n  test: echo bye\n');
    const running = cli.start(['test'], { cwd });
    await running.until('bye\n');
    running.kill('SIGINT');
    // The task may have passed by then, with all that belongs to it.
    expect([0, 130]).toContain((await running.ended).exitCode);
  });

  test('while the first one is being obeyed, by any number of further ones', async () => {
    const cwd = cli.tasks(name, `tasks:\n  test: ${listening}`);
    const running = cli.start(['test'], { cwd });
    await running.until('ready\n');
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGINT'] as const) running.kill(signal);
    // Signals of one moment have no order: the one that came first gives the code.
    expect([129, 130, 143]).toContain((await running.ended).exitCode);
  });
});

function listFiles(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}
