import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { startEngineContainer } from '../../support/engines/engine-container.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { removeVolume } from '../../support/engines/engine-left.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage') });
afterAll(() => cli[Symbol.dispose]());

// The image of an engine may have to be made first.
describe('an engine', { timeout: 600_000 }, () => {
  test('that has another folder of the same name never gets a task into the wrong files: the workspace is sent', async () => {
    await using blind = await startEngineContainer(engine);
    const cwd = cli.tasks('e2e-twin', 'tasks:\n  test: ls\n');
    const env = { DOCKER_HOST: blind.host };
    const mount = { Type: 'bind', Source: cwd, Target: '/x' };
    // An engine makes the folder of a `-v`, empty: so does this one.
    const create = { Image: inject('baseImage'), HostConfig: { Binds: [`${cwd}:/x`] }, Cmd: ['true'] };
    const { text } = await askEngine(blind.host, 'POST', '/containers/create', { json: create });
    await askEngine(blind.host, 'POST', `/containers/${JSON.parse(text).Id}/start`);
    expect(
      (
        await askEngine(blind.host, 'POST', '/containers/create', {
          json: { ...create, HostConfig: { Mounts: [mount] } },
        })
      ).status,
    ).toBe(201);
    const { stdout, stderr } = await cli.run(['test'], { cwd, env });
    expect([stdout, stderr]).toEqual([
      'gbuild.lock\ngbuild.yml\n',
      expect.stringContaining('the workspace is sent there'),
    ]);
  });

  test('that saw the workspace once and sees another folder now is found out before anything runs', async () => {
    const cwd = cli.tasks('e2e-moved', 'tasks:\n  test: ls; touch ran\n');
    const dir = join(cli.dir, 'seen');
    mkdirSync(dir);
    await using sighted = await startEngineContainer(engine, [dir]);
    const env = { DOCKER_HOST: sighted.host };
    const inside = join(dir, 'moved');
    renameSync(cwd, inside);
    const first = await cli.run(['test'], { cwd: inside, env });
    expect([first.exitCode, first.stderr]).toEqual([0, expect.not.stringContaining('is sent there')]);
    // As seen from there, what is bound in its place now is another folder.
    renameSync(dir, `${dir}-there`);
    mkdirSync(dir);
    renameSync(join(`${dir}-there`, 'moved'), inside);
    mkdirSync(join(`${dir}-there`, 'moved'));
    rmSync(join(inside, 'ran'));
    const { stdout, stderr } = await cli.run(['test'], { cwd: inside, env });
    expect([stdout, existsSync(join(inside, 'ran'))], stderr).toEqual(['gbuild.lock\ngbuild.yml\n', true]);
    expect([stderr, readdirSync(join(`${dir}-there`, 'moved'))]).toEqual([
      expect.stringContaining('the workspace is sent there'),
      [],
    ]);
  });

  test('that dies while a task runs ends the run with exit code 3, and is named', async () => {
    await using mortal = await startEngineContainer(engine, [cli.dir]);
    const cwd = cli.tasks('e2e-mortal', 'tasks:\n  test: echo ready; sleep 600\n');
    const running = cli.start(['test'], { cwd, env: { DOCKER_HOST: mortal.host, GBUILD_RECONNECT: '1s' } });
    await running.until('ready\n');
    await mortal.kill();
    const { exitCode, stderr } = await running.ended;
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(mortal.host)]);
    expect(stderr).not.toContain('failed with exit code');
  });
});

test("a full cache volume is the task's own failure, passed on as it is", async () => {
  const cache = `e2e-full-${process.pid}`;
  const volume = `gbuild-cache-${cache}-${process.getuid?.()}`;
  const json = { Name: volume, Driver: 'local', DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } };
  expect((await askEngine(engine, 'POST', '/volumes/create', { json })).status).toBe(201);
  try {
    const cwd = cli.tasks(
      'e2e-full',
      `caches: [{name: ${cache}, path: /cache/full}]\ntasks:\n  test: dd if=/dev/zero of=/cache/full/file bs=1M count=5 status=none\n`,
    );
    const { exitCode, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('No space left on device')]);
    expect(stderr).toContain('error: task test failed with exit code 1');
  } finally {
    await removeVolume(engine, volume);
  }
});
