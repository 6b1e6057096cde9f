import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { startEngineContainer } from '../support/engine-container.ts';
import { askEngine } from '../support/engine-http.ts';
import { removeVolume } from '../support/engine-left.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage') });
afterAll(() => cli[Symbol.dispose]());

describe('an engine', () => {
  test('that cannot see the workspace is refused before anything runs', async () => {
    await using blind = await startEngineContainer(engine);
    const cwd = cli.tasks('e2e-blind', 'tasks:\n  test: touch ran\n');
    const { exitCode, stdout } = await cli.run(['test', '--json'], { cwd, env: { DOCKER_HOST: blind.host } });
    const { error } = JSON.parse(stdout);
    expect([exitCode, error.code, error.facts]).toEqual([3, 'engine-blind', { endpoint: blind.host, hostDir: cwd }]);
    expect(error.message).toContain(`cannot see ${cwd}`);
    expect(existsSync(join(cwd, 'ran'))).toBe(false);
  });

  test('that has another folder of the same name is refused too: a task never runs in the wrong files', async () => {
    await using blind = await startEngineContainer(engine);
    const cwd = cli.tasks('e2e-twin', 'tasks:\n  test: touch ran\n');
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
    const { exitCode, stderr } = await cli.run(['test'], { cwd, env });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(`cannot see ${cwd}`)]);
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
