import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { chooseEndpoint, type EngineName } from '../../../src/engine/endpoint/choose-endpoint.ts';
import { describeEngine } from '../../support/engines/engine-suite.ts';
import { buildDockerMachine, runMachine } from '../../support/remote-engines/docker-machine.ts';
import { writeMachine } from '../../support/remote-engines/machine-store.ts';
import { startTlsEngine } from '../../support/remote-engines/tls-engine.ts';
import { hostIn } from '../../support/toolchains/host-in.ts';

/** No PATH: the store alone says where the machines are. */
function choose(store: string, flags: EngineName, said: string[] = [], env: Record<string, string> = {}) {
  return chooseEndpoint({ ...hostIn(store), env: { MACHINE_STORAGE_PATH: store, ...env } }, flags, {
    say: (text) => void said.push(text),
    mayStart: false,
    readConfigured: async () => ({ name: {}, file: '' }),
    sockets: [],
  });
}

describeEngine('a machine of docker-machine, behind TLS', async () => {
  const engine = await startTlsEngine(inject('engineHost'), { sees: [tmpdir()] });
  const store = mkdtempSync(join(tmpdir(), 'gbuild-machines-'));
  writeMachine(store, 'box', { driver: 'virtualbox', ...engine });
  return {
    host: engine.host,
    endpoint: await choose(store, { machine: 'box' }),
    image: inject('baseImage'),
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      rmSync(store, { recursive: true, force: true });
    },
  };
});

test('the only machine that runs is the last resort, with a notice; of two none is', async () => {
  await using engine = await startTlsEngine(inject('engineHost'));
  const store = join(engine.dir, 'store');
  writeMachine(store, 'off', { ...engine, driver: 'generic', address: '127.0.0.1:1' });
  writeMachine(store, 'on', { ...engine, driver: 'virtualbox' });
  const said: string[] = [];
  const { machine, source } = await choose(store, {}, said);
  expect([machine, source, said]).toEqual([
    'on',
    'running machine',
    ['using the machine on: nothing else names an engine, no socket is there, and it is the only machine that runs'],
  ]);
  writeMachine(store, 'too', { ...engine, driver: 'none', address: `127.0.0.1:${engine.port}` });
  await expect(choose(store, {})).rejects.toMatchObject({
    code: 'engine-unreachable',
    message: expect.stringMatching(/\nseveral machines run: on, too$/),
    suggestions: ['gbuild engine use machine:on', 'gbuild engine use machine:too'],
  });
});

test('docker-machine itself is asked which machines run', async () => {
  const store = mkdtempSync(join(tmpdir(), 'gbuild-machines-'));
  try {
    const binDir = await buildDockerMachine();
    runMachine(binDir, store, 'create', '--driver', 'none', '--url', 'tcp://127.0.0.1:1', 'only');
    const env = { PATH: `${binDir}:${process.env.PATH}` };
    // Driver none always runs; that nobody listens there is told by env.
    await expect(choose(store, {}, [], env)).rejects.toMatchObject({
      message: expect.stringMatching(/^the machine only cannot be used: no engine listens there/),
    });
    await expect(choose(store, {})).rejects.toMatchObject({ message: expect.stringMatching(/^no container engine/) });
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
});
