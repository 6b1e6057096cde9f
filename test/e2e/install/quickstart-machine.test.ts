import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ExecCall } from '../../support/engines/exec-in.ts';
import { engineImage } from '../../support/images/base-image.ts';
import { type Machine, startMachine } from '../../support/remote-engines/machine.ts';

const engine = inject('engineHost');
const root = join(import.meta.dirname, '../../..');
/** The checkout of these tests, which is built, and its Node. */
const sees = { [root]: '/clone', [process.execPath]: '/usr/local/bin/node' };

describe('bin/quickstart says what to type', () => {
  let dir: string;
  let machine: Machine;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'gbuild-unbuilt-'));
    for (const path of ['bin', 'package-lock.json']) cpSync(join(root, path), join(dir, path), { recursive: true });
    machine = await startMachine(engine, { sees: { ...sees, [dir]: '/unbuilt' }, withNode: false });
  });
  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });
  const script = async (text: string) => expect((await machine.run(['sh', '-ec', text])).exitCode).toBe(0);
  const quickstart = async (call: ExecCall = {}, program = '/clone/bin/quickstart') => {
    const { exitCode, output } = await machine.run([program], call);
    return [exitCode, output];
  };
  const nobody = { user: '65534:65534', env: { HOME: '/tmp/nobody' } };

  test('to someone who is not root, where there is no engine', async () => {
    expect(await quickstart(nobody)).toMatchInlineSnapshot(`
      [
        3,
        "error: no container engine was found, and only root can install one
        try: sudo apt-get install docker.io && sudo usermod -aG docker "$USER"   # then log in again
        try: or set DOCKER_HOST to an engine you may use
      ",
      ]
    `);
  });

  test('to someone who may not use the engine that is there', async () => {
    const listen = `node -e "require('net').createServer().listen('/var/run/docker.sock')" >/dev/null 2>&1 &`;
    await script(`${listen} until [ -S /var/run/docker.sock ]; do sleep 0.05; done; chmod 600 /var/run/docker.sock`);
    expect(await quickstart(nobody)).toMatchInlineSnapshot(`
      [
        3,
        "error: you may not use the container engine at /var/run/docker.sock
        try: sudo usermod -aG docker "$USER"   # then log in again
      ",
      ]
    `);
    await script('rm /var/run/docker.sock');
  });

  test('to someone who is not root, where an engine is installed and not running', async () => {
    await script(
      `printf '#!/bin/sh\\necho no space left on device\\nexit 1\\n' >/usr/bin/dockerd; chmod 755 /usr/bin/dockerd`,
    );
    expect(await quickstart(nobody)).toMatchInlineSnapshot(`
      [
        3,
        "error: a container engine is installed but not running, and only root can start it
        try: sudo systemctl start docker
        try: sudo service docker start   # where there is no systemd
      ",
      ]
    `);
  });

  test('where the engine ends as soon as it is started', async () => {
    expect(await quickstart()).toMatchInlineSnapshot(`
      [
        3,
        "Starting the container engine (dockerd; it stays up; stop it with: kill $(cat /var/run/docker.pid))
      error: dockerd was started, but does not answer; the end of /var/log/dockerd.log:
      no space left on device
        try: less /var/log/dockerd.log
      ",
      ]
    `);
    await script('rm /usr/bin/dockerd');
  });

  test('where apt installs nothing', async () => {
    await script('echo "deb http://127.0.0.1:9/debian bookworm main" >/etc/apt/sources.list');
    const [exitCode, output] = await quickstart();
    expect(exitCode).toBe(3);
    expect(output).toMatch(/^error: docker\.io could not be installed; the end of \/root\/\S+\/apt\.log:$/m);
    expect(output).toMatch(/^E: .*docker\.io/m);
    expect(output).toContain('  try: apt-get update && apt-get install docker.io');
  });

  test('on a machine that is neither Debian nor Ubuntu', async () => {
    await script('rm /etc/os-release; echo ID=other >/etc/os-release');
    expect(await quickstart()).toMatchInlineSnapshot(`
      [
        3,
        "error: no container engine was found, and this is neither Debian nor Ubuntu
        try: install Docker or podman in your usual way, start it, then run bin/quickstart again
      ",
      ]
    `);
  });

  test('where the cache cannot be written', async () => {
    expect(await quickstart({ ...nobody, env: { HOME: '/nonexistent' } })).toMatchInlineSnapshot(`
      [
        2,
        "error: this folder cannot be written: /nonexistent/.cache/gbuild/quickstart
        try: XDG_CACHE_HOME=/tmp/cache bin/quickstart
      ",
      ]
    `);
  });

  test('in a checkout that is read-only and not built, and uses one that is built', async () => {
    expect(await quickstart({}, '/unbuilt/bin/gbuild')).toMatchInlineSnapshot(`
      [
        2,
        "error: the packages of this project cannot be installed: /unbuilt is read-only
        try: git clone '/unbuilt' ~/gbuild && ~/gbuild/bin/gbuild
      ",
      ]
    `);
    expect(await quickstart({}, '/clone/bin/gbuild')).toEqual([0, expect.stringContaining('USAGE')]);
  });
});

test('bin/quickstart starts an engine that is installed and does not run, and goes on with it', async () => {
  await using machine = await startMachine(engine, { sees, withNode: false, image: engineImage });
  // This machine has no git, and a toolchain would be made next: neither is the question.
  const script = `printf '#!/bin/sh\\n' >/usr/bin/git; chmod 755 /usr/bin/git
    : >/tmp/said; /clone/bin/quickstart >/tmp/said 2>&1 & quickstart=$!
    until grep -q 'gbuild test$' /tmp/said; do kill -0 $quickstart || { cat /tmp/said; exit 1; }; sleep 0.1; done
    kill $quickstart; docker version --format '{{.Server.Os}}'; sed '/gbuild test/q' /tmp/said`;
  const { exitCode, output } = await machine.run(['sh', '-c', script]);
  expect([exitCode, output]).toMatchInlineSnapshot(`
    [
      0,
      "linux
    Starting the container engine (dockerd; it stays up; stop it with: kill $(cat /var/run/docker.pid))

    $ gbuild test
    ",
    ]
  `);
});
