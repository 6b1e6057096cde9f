import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { askEngine } from '../../../support/engines/engine-http.ts';
import { listLeft, nothingLeft, removeVolume } from '../../../support/engines/engine-left.ts';
import { type BreakableLine, openBreakableLine } from '../../../support/network/breakable-line.ts';
import { type FarEngine, listTree, openFarEngine } from '../../../support/remote-engines/far-engine.ts';

let opened: FarEngine;
let line: BreakableLine;
beforeAll(async () => {
  opened = await openFarEngine(inject('engineHost'), { toolchain: inject('baseImage') });
  line = await openBreakableLine(opened.far.host);
});
afterAll(async () => {
  await line[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});

const body = `tasks:
  test:
    run: 'for i in $(seq 1 40); do echo line $i; sleep 0.1; done; mkdir -p out; echo x > out/r.xml; echo new > made; exit 9'
    reports: [out/*.xml]
  other: ls; echo other > other
`;
const files = { '.gitignore': 'out/\n' };

test('a connection that drops while a task runs is no reason for what it made to stay there', async () => {
  const cwd = opened.cli.tasks('sync-drops', body, files);
  const running = opened.cli.start(['test', '--json'], { cwd, env: { DOCKER_HOST: line.host } });
  await running.until('line 5\n');
  line.cut();
  await sleep(6_000);
  line.restore();
  const { exitCode, stdout, stderr } = await running.ended;
  expect([exitCode, JSON.parse(stdout).error.facts.tasks?.[0].reports], `${stdout}${stderr}`).toEqual([
    9,
    ['out/r.xml'],
  ]);
  expect(readFileSync(join(cwd, 'made'), 'utf8')).toBe('new\n');
  expect(await listLeft(opened.far.host, 'io.gbuild.repository=sync-drops')).toEqual(nothingLeft);
});

test('what a task made that went on alone comes back when one attaches to it; its volume is left to it until then', async () => {
  const cwd = opened.cli.tasks('sync-attach', body, files);
  const env = { DOCKER_HOST: line.host, GBUILD_RECONNECT: '1s' };
  const running = opened.cli.start(['test'], { cwd, env });
  await running.until('line 5\n');
  line.cut();
  expect((await running.ended).exitCode).toBe(3);
  line.restore();
  expect(existsSync(join(cwd, 'made'))).toBe(false);
  const other = await opened.cli.run(['run', 'other'], { cwd, env });
  expect([other.exitCode, other.stdout], other.stderr).toEqual([0, 'gbuild.lock\ngbuild.yml\n']);
  const { exitCode, stdout, stderr } = await opened.cli.run(['attach', '--json'], { cwd: opened.cli.dir, env });
  const { tasks, sync } = JSON.parse(stdout).error.facts;
  expect([exitCode, tasks?.[0].reports, sync], `${stdout}${stderr}`).toEqual([
    9,
    ['out/r.xml'],
    { back: { files: 2, bytes: 6, removed: 0, kept: [], refused: [] } },
  ]);
  expect(['made', 'other'].map((name) => readFileSync(join(cwd, name), 'utf8'))).toEqual(['new\n', 'other\n']);
  expect(await listLeft(opened.far.host, 'io.gbuild.repository=sync-attach')).toEqual(nothingLeft);
});

for (const kind of ['gone', 'another, an empty one'])
  test(`a copy that is ${kind} when one comes back takes nothing of the workspace with it`, async () => {
    const cwd = opened.cli.tasks('sync-lost', body, { ...files, kept: 'kept\n' });
    const env = { DOCKER_HOST: line.host, GBUILD_RECONNECT: '1s' };
    const running = opened.cli.start(['test'], { cwd, env });
    await running.until('line 5\n');
    line.cut();
    expect((await running.ended).exitCode).toBe(3);
    line.restore();
    const before = listTree(cwd);
    const { containers } = await listLeft(opened.far.host, 'io.gbuild.repository=sync-lost');
    for (const id of containers) await askEngine(opened.far.host, 'DELETE', `/containers/${id}?force=1`);
    const { volumes } = await listLeft(opened.far.host, `io.gbuild.workspace=${cwd}`);
    expect(volumes).toHaveLength(1);
    await removeVolume(opened.far.host, volumes[0]!);
    if (kind !== 'gone') await askEngine(opened.far.host, 'POST', '/volumes/create', { json: { Name: volumes[0] } });
    const { exitCode, stderr } = await opened.cli.run(['attach'], { cwd, env });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('was not brought back')]);
    expect(listTree(cwd)).toEqual(before);
    await removeVolume(opened.far.host, volumes[0]!);
    rmSync(cwd, { recursive: true });
  });

test('an engine whose clock is another is told when the workspace goes there, with what sets it', async () => {
  const lastYear = (chunk: Buffer) =>
    Buffer.from(
      chunk.toString('latin1').replace(/"SystemTime":"(\d+)/, (_, year) => `"SystemTime":"${Number(year) - 1}`),
      'latin1',
    );
  await using wrong = await openBreakableLine(opened.far.host, lastYear);
  const cwd = opened.cli.tasks('sync-clock', 'tasks:\n  test: "true"\n');
  const { exitCode, stderr } = await opened.cli.run(['test'], { cwd, env: { DOCKER_HOST: wrong.host } });
  expect(exitCode, stderr).toBe(0);
  expect(stderr.replace(/\d{8} s/, 'SECONDS')).toContain(
    "warning: the engine's clock is SECONDS away from this machine's: build tools that compare file times will be confused: timedatectl set-ntp true\n",
  );
});
