import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { configurePodman } from '../../support/engines/engine-generations.ts';
import { baseImage, engineImageOf, ensureRoot } from '../../support/images/base-image.ts';
import { type Machine, startMachine } from '../../support/remote-engines/machine.ts';

const checkout = fileURLToPath(new URL('../../..', import.meta.url));
const cli = openCli({ toolchain: `docker.io/${baseImage}` });
const repository = cli.tasks('e2e-podman', 'tasks:\n  test: cat words.txt\n', { 'words.txt': 'read by podman\n' });
const program = ['/opt/node/node', '/opt/gbuild/bin/run.js'];
const env = { HOME: '/root', XDG_RUNTIME_DIR: '/run/user/0', PODMAN_IGNORE_CGROUPSV1_WARNING: '1' };
let machine: Machine;

/** A machine with podman installed and nothing of it running, gbuild, and an image to build in. */
beforeAll(async () => {
  const sees = {
    [checkout]: '/opt/gbuild',
    [dirname(process.execPath)]: '/opt/node',
    [dirname(repository)]: '/repositories',
    [await ensureRoot(baseImage)]: '/base.tar',
  };
  const image = engineImageOf('trixie');
  machine = await startMachine(inject('engineHost'), { sees, withNode: false, image, dataDir: '/var/lib/containers' });
  const script = [
    configurePodman,
    'mkdir -p /run/user/0',
    `podman import --quiet /base.tar docker.io/${baseImage}`,
    `cp -r /repositories/e2e-podman /root/work`,
  ].join(' && ');
  const { exitCode, output } = await machine.run(['sh', '-c', script], { env });
  expect(exitCode, output).toBe(0);
});
afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

const gbuild = async (more: Record<string, string> = {}, args = ['test']) => {
  const { exitCode, output } = await machine.run([...program, ...args], {
    cwd: '/root/work',
    env: { ...env, ...more },
  });
  const plain = output.replaceAll(/gbuild-podman\/\d+/g, 'gbuild-podman/PID').replace(/ \([\d.]+ s\)/, '');
  return [exitCode, plain.replace(/ in [\d.]+ s/, '')];
};

test('where podman is installed and not running, a run has a podman of its own, and says so', async () => {
  expect(await gbuild()).toMatchInlineSnapshot(`
    [
      0,
      "no engine is running: starting /usr/bin/podman for this run, on unix:///run/user/0/gbuild-podman/PID/podman.sock
    warning: git is not installed, so the revision of this folder cannot be read; tasks do not get the commit's time: Install git (Debian and Ubuntu: sudo apt-get install git), then run the command again.
    docker.io/gbuild-test/base:bookworm is docker.io/gbuild-test/base bookworm: written to gbuild.lock; commit it
    > test: cat words.txt
    read by podman
    + test passed
    test passed with docker.io/gbuild-test/base bookworm
    ",
    ]
  `);
});

test('nothing of it is left when the run has ended', async () => {
  const script = 'ls /run/user/0/gbuild-podman; pgrep -a podman; podman ps -aq';
  const look = async () => (await machine.run(['sh', '-c', script], { env })).output;
  // It has been told to end, and takes its time.
  await expect.poll(look, { timeout: 10_000, interval: 200 }).toBe('');
});

test('where podman does not start, its own words are told', async () => {
  expect(await gbuild({ CONTAINERS_CONF: '/nowhere/containers.conf' })).toMatchInlineSnapshot(`
    [
      3,
      "no engine is running: starting /usr/bin/podman for this run, on unix:///run/user/0/gbuild-podman/PID/podman.sock
    error: podman could not be started (/usr/bin/podman system service --time 300 unix:///run/user/0/gbuild-podman/PID/podman.sock): it ended with 1
      Failed to obtain podman configuration: finding config on system: CONTAINERS_CONF file: faccessat /nowhere/containers.conf: no such file or directory
      try: podman info
      try: gbuild doctor --host tcp://HOST:PORT
    ",
    ]
  `);
});

test('doctor says what would be started, and starts nothing', async () => {
  expect(await gbuild({}, ['doctor', 'engine'])).toMatchInlineSnapshot(`
    [
      0,
      "ok       engine  /usr/bin/podman, which does not run: every command that needs it starts it for itself
    ",
    ]
  `);
});

test('where something names an engine, podman is not started', async () => {
  const [exitCode, output] = await gbuild({ DOCKER_HOST: 'unix:///nowhere.sock' });
  expect([exitCode, output]).toEqual([3, expect.stringContaining('unix:///nowhere.sock')]);
  expect(output).not.toContain('starting');
});
