import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { copyInstallation } from '../../../support/cli/cli.ts';
import { askEngine } from '../../../support/engines/engine-http.ts';
import { listLeft, nothingLeft } from '../../../support/engines/engine-left.ts';
import { type FarEngine, listTree, openFarEngine } from '../../../support/remote-engines/far-engine.ts';

let far: FarEngine['far'];
let cli: FarEngine['cli'];
let opened: FarEngine;
beforeAll(async () => {
  opened = await openFarEngine(inject('engineHost'), { toolchain: inject('baseImage') });
  ({ far, cli } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

const run = (cwd: string, ...args: string[]) => cli.run(args, { cwd });

describe('a copy on the engine', () => {
  test('is right after a run that was killed while it was sent, while tasks ran and while files came back', async () => {
    const spoil = 'cat tracked; rm -f tracked; echo new > made; echo spoilt > kept';
    const cwd = cli.tasks(
      'sync-killed',
      `tasks:
  look: cat kept tracked; ls | tr '\\n' ' '
  goes-on: '${spoil}; echo ready; while :; do echo spoilt > kept; done'
  ends: '${spoil}; dd if=/dev/urandom of=blob bs=1M count=30 status=none'
`,
      { tracked: 'tracked\n', kept: 'kept\n' },
    );
    writeFileSync(join(cwd, 'large'), '');
    truncateSync(join(cwd, 'large'), 80_000_000);
    const before = listTree(cwd);
    const moments = [
      ['ends', 'is sent there', 0],
      ['ends', 'is sent there', 100],
      ['ends', '> ends', 0],
      ['goes-on', 'ready\n', 0],
      ['ends', 'ends passed', 0],
      ['ends', 'ends passed', 60],
    ] as const;
    for (const [task, text, wait] of moments) {
      writeFileSync(join(cwd, 'large'), `${text} ${wait}`, { flag: 'r+' });
      const running = cli.start(['run', task], { cwd });
      await running.until(text);
      await sleep(wait);
      running.kill('SIGKILL');
      await running.ended;
      // What had come back by then may be here, whole.
      for (const name of ['made', 'blob']) rmSync(join(cwd, name), { force: true });
      writeFileSync(join(cwd, 'tracked'), 'tracked\n');
      writeFileSync(join(cwd, 'kept'), 'kept\n');
      const { stdout, stderr } = await run(cwd, 'run', 'look');
      expect(stdout, stderr).toBe('kept\ntracked\ngbuild.lock gbuild.yml kept large tracked ');
      expect(listTree(cwd)).toEqual(before);
    }
    expect(await listLeft(far.host, 'io.gbuild.repository=sync-killed')).toEqual(nothingLeft);
    // The dead ones' volume was taken over each time.
    const { text } = await askEngine(far.host, 'GET', '/volumes');
    const labels = (JSON.parse(text) as { Volumes: { Labels: Record<string, string> | null }[] }).Volumes;
    expect(labels.filter(({ Labels }) => Labels?.['io.gbuild.workspace'] === cwd)).toHaveLength(1);
  });

  test('is one for each of two runs at once, and the first is taken again', async () => {
    const cwd = cli.tasks('sync-two', 'tasks:\n  test: cat a; hostname >/dev/null\n', { a: 'one\n' });
    const running = cli.start(['shell'], { cwd, input: 'open' });
    running.type('echo first > only-here; cat a; echo ready\n');
    await running.until('ready\n');
    writeFileSync(join(cwd, 'a'), 'two\n');
    const second = await run(cwd, 'test');
    running.type('cat a; ls only-here; exit\n');
    const first = await running.ended;
    expect([second.stdout, first.stdout]).toEqual(['two\n', 'one\nready\none\nonly-here\n']);
    expect([(await run(cwd, 'test')).stdout, readFileSync(join(cwd, 'only-here'), 'utf8')]).toEqual([
      'two\n',
      'first\n',
    ]);
  });

  test('is known to `cache ls`, is made anew when it was removed, and goes with its folder at `clean`', async () => {
    const cwd = cli.tasks('sync-cache', 'tasks:\n  test: cat a\n', { a: 'a\n' });
    await run(cwd, 'test');
    const list = async () => (await run(cli.dir, 'cache', 'ls')).stdout;
    expect(await list()).toMatch(/^workspace /m);
    expect((await run(cli.dir, 'cache', 'rm', 'workspace')).exitCode).toBe(0);
    expect((await run(cwd, 'test')).stdout).toBe('a\n');
    const volumes = async () => (await askEngine(far.host, 'GET', '/volumes')).text;
    expect(await volumes()).toContain(cwd);
    rmSync(cwd, { recursive: true });
    await run(cli.dir, 'clean');
    expect(await volumes()).not.toContain(cwd);
  });

  test('belongs to the caller who is not root, there and here', async () => {
    const cwd = cli.tasks('sync-user', 'tasks:\n  test: id -u; touch made; stat -c %u . a made\n', { a: 'a\n' });
    execFileSync('chown', ['-R', '4242:4242', cwd]);
    const as = { uid: 4242, gid: 4242, groups: [4242], installed: copyInstallation(join(cli.dir, 'installed')) };
    const home = join(cli.dir, 'home-4242');
    mkdirSync(home);
    execFileSync('chown', ['4242:4242', home]);
    const places = { HOME: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home, XDG_STATE_HOME: home };
    const { stdout, stderr } = await cli.run(['test'], { cwd, as, env: places });
    expect([stdout, statSync(join(cwd, 'made')).uid], stderr).toEqual(['4242\n4242\n4242\n4242\n', 4242]);
  });
});
