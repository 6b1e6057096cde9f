import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Cli, openCli, type RunningCli } from '../../support/cli/cli.ts';
import { type EngineContainer, startEngineContainer } from '../../support/engines/engine-container.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { listLeft, nothingLeft } from '../../support/engines/engine-left.ts';
import { ensureTestImage, smallImage } from '../../support/images/base-image.ts';
import { type SshEngine, startSshEngine } from '../../support/remote-engines/ssh-engine.ts';

const engine = inject('engineHost');
const local = openCli({ engine, toolchain: smallImage });
beforeAll(() => ensureTestImage(engine, smallImage));
afterAll(() => local[Symbol.dispose]());

const serve = 'mkdir /tmp/w; echo hello >/tmp/w/index.html; echo ready; exec httpd -f -p 3000 -h /tmp/w';
const start = (more = '') => `tasks:\n  start: {run: '${serve}'${more}}\n`;

/** Where gbuild says that port 3000 is, once the task has written something. */
async function placeOf(running: RunningCli): Promise<string> {
  await running.until('ready\n');
  return /start: port 3000 is at (\S+)/.exec(running.output())?.[1] ?? 'nowhere';
}

async function answerAt(place: string): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await (await fetch(`http://${place}/`)).text();
    } catch (thrown) {
      if (tries === 50) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function end(running: RunningCli): Promise<void> {
  running.kill('SIGINT');
  expect((await running.ended).exitCode).toBe(130);
}

/** Runs the task, and answers where its port was and what answered there. */
async function tryPort(cli: Cli, cwd: string, args: string[], env: Record<string, string> = {}) {
  const running = cli.start(['run', 'start', ...args], { cwd, env });
  const place = await placeOf(running);
  const answer = await answerAt(place);
  await end(running);
  return { place, answer };
}

describe('a published port', () => {
  test('of an engine of this machine is at 127.0.0.1 and nowhere else, and is told before the first output', async () => {
    const cwd = local.tasks('e2e-ports', start(', ports: [3000]'));
    const running = local.start(['run', 'start'], { cwd });
    const place = await placeOf(running);
    expect([place, await answerAt(place)]).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/), 'hello\n']);
    expect(running.output().indexOf('port 3000')).toBeLessThan(running.output().lastIndexOf('ready\n'));
    const { containers } = await listLeft(engine, 'io.gbuild.repository=e2e-ports');
    const { NetworkSettings } = JSON.parse((await askEngine(engine, 'GET', `/containers/${containers[0]}/json`)).text);
    expect(NetworkSettings.Ports).toEqual({ '3000/tcp': [{ HostIp: '127.0.0.1', HostPort: place.split(':')[1] }] });
    await end(running);
    expect(await listLeft(engine, 'io.gbuild.repository=e2e-ports')).toEqual(nothingLeft);
  });

  test('is asked for at the command line as well, stands in --json, and one that is taken is named', async () => {
    const cwd = local.tasks('e2e-ports-taken', `${start()}  test: echo free; sleep 1\n`);
    const first = local.start(['run', 'start', '-p', '3000'], { cwd });
    const [, taken] = (await placeOf(first)).split(':');
    const second = await local.run(['run', 'test', '--publish', `${taken}:3000`], { cwd });
    expect([
      second.exitCode,
      local
        .plain(second.stderr)
        .replaceAll(taken!, 'PORT')
        .replace(/driver failed.*/, '...'),
    ]).toMatchInlineSnapshot(`
      [
        3,
        "> test: echo free; sleep 1
      error: port PORT cannot be published, it is taken: the engine at unix:///run/gbuild-test/docker.sock refused to start the container: ...
        try: publish 3000 instead of PORT:3000   # the engine chooses a free one
        try: docker ps   # which container has it?
      ",
      ]
    `);
    await end(first);
    const third = await local.run(['run', 'test', '--publish', `${taken}:3000`, '--json'], { cwd });
    expect(JSON.parse(third.stdout).tasks[0].ports).toEqual([
      { port: 3000, protocol: 'tcp', at: `127.0.0.1:${taken}` },
    ]);
  });

  test('on the network of the host is at its own number, and on no network there is none', async () => {
    const cwd = local.tasks('e2e-ports-host', `network: host\n${start()}  test: echo ready; sleep 1\n`);
    const host = await local.run(['run', 'test', '-p', '3000'], { cwd });
    expect(host.stderr).toContain('test: port 3000 is at 127.0.0.1:3000\n');
    const failures = ['-p 80:3000', '-p x'].map((args) => local.run(['run', 'test', ...args.split(' ')], { cwd }));
    const none = local.tasks('e2e-ports-none', `network: none\n${start()}`);
    failures.push(local.run(['run', 'start', '-p', '3000'], { cwd: none }));
    expect((await Promise.all(failures)).map(({ exitCode, stderr }) => [exitCode, stderr])).toMatchInlineSnapshot(`
      [
        [
          2,
          "error: flag --publish: gbuild.yml says "network: host": a port there is the engine's own and has one number
        try: --publish 3000
      ",
        ],
        [
          2,
          "error: flag --publish: "x" is not a port
        try: --publish 3000
        try: --publish 8080:3000   # ENGINEPORT:PORT
        try: --publish 5353/udp
      ",
        ],
        [
          2,
          "error: flag --publish: gbuild.yml says "network: none": such a container has no port to publish
        try: write "network: bridge" in gbuild.yml
      ",
        ],
      ]
    `);
  });

  test('of a shell is told as well', async () => {
    const cwd = local.tasks('e2e-ports-shell', start());
    const { stderr } = await local.run(['shell', '-p', '3000'], { cwd, input: 'sleep 1\n' });
    expect(stderr).toMatch(/shell: port 3000 is at 127\.0\.0\.1:\d+\n/);
  });
});

describe('a published port of an engine elsewhere', () => {
  const cli = openCli({ toolchain: smallImage });
  let far: EngineContainer;
  beforeAll(async () => {
    far = await startEngineContainer(engine, [cli.dir], 'docker 20.10', smallImage);
  });
  afterAll(async () => {
    await far?.[Symbol.asyncDispose]();
    cli[Symbol.dispose]();
  });

  test('is at the address of that engine', async () => {
    const cwd = cli.tasks('e2e-ports-far', start(', ports: [3000]'));
    const { place, answer } = await tryPort(cli, cwd, [], { DOCKER_HOST: `tcp://${far.address}:2375` });
    expect([place.split(':')[0], answer]).toEqual([far.address, 'hello\n']);
  });
});

describe('a published port of an engine over ssh', () => {
  const cli = openCli({ toolchain: smallImage });
  let ssh: SshEngine;
  beforeAll(async () => {
    ssh = await startSshEngine(engine, [cli.dir]);
    await ensureTestImage(ssh.host, smallImage);
  });
  afterAll(async () => {
    await ssh?.[Symbol.asyncDispose]();
    cli[Symbol.dispose]();
  });

  test('is at 127.0.0.1 on both sides, through the one connection, and gone with it', async () => {
    const cwd = cli.tasks('e2e-ports-ssh', start(', ports: [3000]'));
    const env = { PATH: `${ssh.binDir}:${process.env.PATH}`, DOCKER_HOST: 'ssh://box' };
    const { place, answer } = await tryPort(cli, cwd, [], env);
    expect([place, answer]).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/), 'hello\n']);
    const forward = ssh.calls().filter((call) => call.includes('-O forward'));
    expect(forward).toEqual([expect.stringMatching(new RegExp(`-L ${place}:127\\.0\\.0\\.1:\\d+ -- box$`))]);
    await expect(fetch(`http://${place}/`)).rejects.toThrow('fetch failed');
  });
});
