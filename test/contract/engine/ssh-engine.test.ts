import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { bareContainer, connectEngine, type Endpoint, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { describeEngine } from '../../support/engines/engine-suite.ts';
import { collectOutput, neverStop } from '../../support/engines/run-io.ts';
import { tarOf } from '../../support/images/tar-of.ts';
import { type SshEngine, startSshEngine } from '../../support/remote-engines/ssh-engine.ts';

const endpointOver = ({ binDir }: SshEngine): Endpoint => ({
  url: 'ssh://box',
  ssh: {
    target: { host: 'box' },
    env: { ...process.env, PATH: `${binDir}:${process.env.PATH}` },
    mayAsk: false,
    canShare: true,
  },
  source: 'flag --host',
  reason: 'the test says so',
  warnings: [],
});

describeEngine('a real engine over ssh', async () => {
  const ssh = await startSshEngine(inject('engineHost'), [tmpdir()]);
  return {
    host: ssh.host,
    endpoint: endpointOver(ssh),
    image: inject('baseImage'),
    [Symbol.asyncDispose]: () => ssh[Symbol.asyncDispose](),
  };
});

let ssh: SshEngine;
let engine: Engine;
const open = () => connectEngine(endpointOver(ssh), { owner: readOwner(), runId: 'ssh' });

beforeAll(async () => {
  ssh = await startSshEngine(inject('engineHost'));
  engine = open();
});
afterAll(async () => {
  engine?.close();
  await ssh?.[Symbol.asyncDispose]();
});

const specOf = (script: string) => bareContainer(inject('baseImage'), ['sh', '-c', script]);
const run = async (client: Engine, script: string) => {
  const output = collectOutput();
  const { exitCode } = await client.runContainer(specOf(script), { onOutput: output.take, stop: neverStop() });
  return [exitCode, output.read().stdout];
};

test('nothing is started before the engine is used, and nothing is left when it is closed', async () => {
  const before = ssh.calls().length;
  const client = open();
  expect(ssh.calls().length).toBe(before);
  await client.info();
  const [, folder] = /ControlPath=(\S+)\/s /.exec(ssh.calls().at(-1) ?? '') ?? [];
  expect(folder).toMatch(/gbuild-ssh-/);
  const processes = () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(`${folder}/s`);
  expect(processes()).toBe(true);
  client.close();
  await expect.poll(processes, { timeout: 30_000 }).toBe(false);
  expect(() => execFileSync('ls', [folder!], { stdio: 'ignore' })).toThrow();
});

test('one connection carries everything, and its streams are used again', async () => {
  const before = ssh.calls().length;
  const client = open();
  for (let turn = 0; turn < 10; turn += 1) await client.inspectImage(inject('baseImage'));
  expect(await run(client, 'echo over ssh; exit 3')).toEqual([3, 'over ssh\n']);
  client.close();
  const calls = ssh.calls().slice(before);
  const channels = calls.filter((call) => call.includes('dial-stdio'));
  expect(calls.filter((call) => call.includes('ControlMaster=yes'))).toHaveLength(1);
  // The kept one, and while the container runs: attach, wait and what is asked meanwhile.
  expect(channels.length).toBeLessThanOrEqual(4);
});

test('signs of life are asked for over streams that are there already', async () => {
  const before = ssh.calls().length;
  const heartbeat = { every: 50, deadline: 10_000, away: 0 };
  const client = connectEngine(endpointOver(ssh), { owner: readOwner(), runId: 'ssh', heartbeat });
  expect(await run(client, 'sleep 3')).toEqual([0, '']);
  client.close();
  const channels = ssh
    .calls()
    .slice(before)
    .filter((call) => call.includes('dial-stdio'));
  expect(channels.length).toBeLessThanOrEqual(5);
});

test('more streams than the server lets one connection have are no failure', async () => {
  const turns = Array.from({ length: 8 }, (_, turn) => run(engine, `sleep 1; echo ${turn}`));
  expect(await Promise.all(turns)).toEqual(turns.map((_, turn) => [0, `${turn}\n`]));
});

test('an image is built and an archive is loaded', async () => {
  const context = [tarOf({ Dockerfile: `FROM ${inject('baseImage')}\nCOPY file /file\nRUN cat /file\n`, file: 'x' })];
  const built = await engine.buildImage({ context, tags: ['ssh:built'], args: {}, labels: {}, stop: neverStop() });
  expect((await engine.inspectImage('ssh:built'))?.id).toBe(built);
  const layer = tarOf({ large: Buffer.alloc(20_000_000, 'x') });
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } };
  const manifest = [{ Config: 'config.json', RepoTags: ['ssh:loaded'], Layers: ['layer.tar'] }];
  const archive = tarOf({
    'config.json': JSON.stringify(config),
    'layer.tar': layer,
    'manifest.json': JSON.stringify(manifest),
  });
  await engine.loadArchive([archive], { stop: neverStop() });
  expect((await engine.inspectImage('ssh:loaded'))?.diffIds).toEqual([digestOf(layer)]);
});

test('a connection that breaks ends a run whose output the engine does not keep', async () => {
  const before = ssh.calls().length;
  const client = open();
  const work = client.runContainer(specOf('echo up; sleep 600'), {
    onOutput: () => void ssh.exec('pkill -KILL -u build sshd'),
    stop: neverStop(),
  });
  await expect(work).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining('ssh://box') });
  // What comes then goes over one new connection.
  await client.inspectImage(inject('baseImage'));
  await client.inspectImage(inject('baseImage'));
  expect(
    ssh
      .calls()
      .slice(before)
      .filter((call) => call.includes('ControlMaster=yes')),
  ).toHaveLength(2);
  client.close();
});
