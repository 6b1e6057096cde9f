import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { parseLock } from '../../../src/spec/lock/lock.ts';
import { cloneCheckout } from '../../support/cli/checkout.ts';
import { git, openCli } from '../../support/cli/cli.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import type { ExecCall } from '../../support/engines/exec-in.ts';
import { type InterceptingProxy, startInterceptingProxy } from '../../support/network/intercepting-proxy.ts';
import { type Machine, startMachine, systemBundle } from '../../support/remote-engines/machine.ts';
import { relayToMachine } from '../../support/remote-engines/relay-to-machine.ts';

const engine = inject('engineHost');
const checkout = cloneCheckout();
const cli = openCli({ engine });
const name = `e2e-fresh-machine-${process.pid}`;
afterAll(async () => {
  await removeRepository(engine, name);
  cli[Symbol.dispose]();
  checkout[Symbol.dispose]();
});

/** What of a lock moves with a mirror's packages. */
function packagesOf(lock: string): unknown {
  const { platforms } = parseLock(Buffer.from(lock)).toolchain;
  return Object.values(platforms).map(({ packages, runtimePackages }) => [packages, runtimePackages]);
}

const secret = 'pw:9f3c@Z7-secret';

describe('bin/quickstart on a fresh Debian machine with git, Node 20 and npm, as root, in a company whose proxy wants a password and opens TLS', () => {
  let machine: Machine;
  let proxy: InterceptingProxy;
  /** Where it is for the machine and its containers. */
  let place: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    const dir = join(cli.dir, 'company');
    proxy = await startInterceptingProxy(dir, 'ada', secret);
    const roots = join(dir, 'roots.pem');
    const known = existsSync(systemBundle) ? readFileSync(systemBundle, 'utf8') : '';
    writeFileSync(roots, `${known}\n${readFileSync(proxy.rootFile, 'utf8')}`);
    machine = await startMachine(engine, { sees: { [checkout.root]: '/clone', [dir]: '/company' }, roots });
    const address = await relayToMachine(machine, { hostDir: dir, machineDir: '/company', port: proxy.port });
    place = `${address}:${proxy.port}`;
    const url = proxy.url.replace(`127.0.0.1:${proxy.port}`, place);
    env = { HTTPS_PROXY: url, HTTP_PROXY: url, NO_PROXY: 'localhost,127.0.0.1' };
    const { exitCode, output } = await machine.run([
      'git',
      '-c',
      'safe.directory=*',
      'clone',
      '/clone',
      '/root/a clone',
    ]);
    expect(exitCode, output).toBe(0);
  });
  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
  });
  const quickstart = (call: ExecCall = {}) => machine.run(['/root/a clone/bin/quickstart'], call);

  test('comes from nothing to a released image that answers over HTTP', async () => {
    const { exitCode, output, seconds } = await quickstart({ env });
    console.log(`quickstart from nothing: ${seconds.toFixed(0)} s`);
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/\$ curl http:\/\/127\.0\.0\.1:\d+\/\n\{"hello":"world","version":"1\.0\.1"/);
    const said = [
      'No container engine here: installing docker.io',
      'Fetching Node 24',
      "Installing the project's packages (npm ci)",
      'Building the CLI',
      'Starting the container engine (dockerd',
      '$ gbuild test',
      'base image: Debian bookworm',
      'ℹ pass 3',
      '$ gbuild image --release 1.0.1',
      'node-hello:1.0.1 released',
      "gbuild' init   write down what gbuild sees there",
    ];
    expect(said.map((text) => output.indexOf(text))).toEqual(
      said.map((text) => output.indexOf(text)).sort((a, b) => a - b),
    );
    expect(said.filter((text) => !output.includes(text))).toEqual([]);
    expect(output).not.toContain('waiting for process');
    expect((await machine.run(['docker', 'ps', '--all', '--quiet'])).output).toBe('');
    expect(output).not.toContain('Z7-secret');
    expect(proxy.hosts.size).toBeGreaterThan(1);
  }, 1_800_000);

  test('has nothing of the proxy in any image', async () => {
    const rootLine = readFileSync(proxy.rootFile, 'utf8').split('\n')[3] ?? '';
    const marks = ['Z7-secret', place, rootLine].map((mark) => `\\Q${mark}\\E`);
    const script = `for image in $(docker image ls --format '{{.Repository}}:{{.Tag}}'); do
        echo "$image"
        docker save "$image" >/tmp/saved
        for mark; do ! grep -qaP -e "$mark" /tmp/saved || echo "$image has $mark" >&2; done
      done`;
    const patterns = [...marks, 'run/gbuild/trust\\.pem\\x00'];
    const { exitCode, stdout, stderr } = await machine.run(['sh', '-euc', script, 'sh', ...patterns]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^gbuild\/node:22\.[\d.]+-[0-9a-f]{12}$/),
        expect.stringMatching(/^gbuild\/node:22\.[\d.]+-[0-9a-f]{12}-runtime$/),
        'node-hello:1.0.1',
      ]),
    );
  }, 600_000);

  // Nothing is shared with that machine: its engine, its toolchain and its build are its own.
  test('makes the images that this machine makes of the same commit', async () => {
    const script = `cp -r ~/.cache/gbuild/quickstart/node-hello ~/copy; cd ~/copy; sed -i 's/^name: .*/name: ${name}/' gbuild.yml
      git -c user.name=Ada -c user.email=ada@example.org commit -q -a -m 'Another name' >&2
      "/root/a clone/bin/gbuild" image --release 1.0.1 --json 2>/dev/null; git bundle create - HEAD 2>/dev/null | base64 -w 0`;
    const { exitCode, stdout, output } = await machine.run(['sh', '-ec', script]);
    expect(exitCode, output).toBe(0);
    const [json = '', bundle = ''] = stdout.split(/(?<=\n\}\n)/);
    const theirs = JSON.parse(json) as ImageRecord;
    const cwd = join(cli.dir, 'copy');
    writeFileSync(join(cli.dir, 'bundle'), Buffer.from(bundle, 'base64'));
    git('/', 'clone', '-q', join(cli.dir, 'bundle'), cwd);
    const locked = readFileSync(join(cwd, 'gbuild.lock'), 'utf8');
    const gbuild = async (...args: string[]) => {
      const result = await cli.run(args, { cwd });
      expect(result.exitCode, `${result.stdout}${result.stderr}`).toBe(0);
      return result.stdout;
    };
    rmSync(join(cwd, 'gbuild.lock'));
    await gbuild('lock');
    const isOfToday = isDeepStrictEqual(packagesOf(locked), packagesOf(readFileSync(join(cwd, 'gbuild.lock'), 'utf8')));
    // This engine may have kept images of an earlier day, and packages have moved on since.
    if (!isOfToday) await gbuild('lock', '--update', '--no-try');
    expect(readFileSync(join(cwd, 'gbuild.lock'), 'utf8')).toBe(locked);
    const ours = JSON.parse(await gbuild('image', '--release', '1.0.1', '--json')) as ImageRecord;
    expect([ours.imageId, ours.alreadyReleased]).toEqual([theirs.imageId, false]);
  }, 900_000);

  test('is quick the second time: nothing is fetched, installed, built or released anew', async () => {
    const { exitCode, output, seconds } = await quickstart();
    console.log(`quickstart the second time: ${seconds.toFixed(1)} s`);
    expect(exitCode, output).toBe(0);
    // The note on the checkout of a release is no work of the set-up: the release is the one that is there.
    const setUp = output.replaceAll(/^.*building the release in a clean checkout.*$/gm, '');
    expect(setUp).not.toMatch(/fetching|installing|building|starting the container/i);
    expect(output).toContain('node-hello:1.0.1 already released');
  }, 600_000);

  test('starts the engine again after it was killed', async () => {
    await machine.run(['sh', '-c', 'kill -9 $(cat /var/run/docker.pid)']);
    const { exitCode, output } = await quickstart();
    expect(exitCode, output).toBe(0);
    expect(output).toContain('Starting the container engine (dockerd');
    expect(output).toContain('node-hello:1.0.1 already released');
  }, 600_000);
});
