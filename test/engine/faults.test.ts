import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bareContainer, type ContainerSpec, connectEngine, type Engine } from '../../src/engine/engine.ts';
import type { GbuildError } from '../../src/errors.ts';
import { readOwner } from '../../src/fs/process-owner.ts';
import { endpointOf } from '../support/engines/endpoint-of.ts';
import { FakeEngine } from '../support/engines/fake-engine.ts';
import { collectOutput, neverStop } from '../support/engines/run-io.ts';

let fake: FakeEngine;
let engine: Engine;
const workspace = mkdtempSync(join(tmpdir(), 'gbuild-faults-'));

beforeEach(async () => {
  fake = await FakeEngine.start();
  writeFileSync(join(workspace, 'file'), 'x');
  engine = connectEngine(endpointOf(fake.host), { owner: readOwner(), runId: 'faults' });
});
afterEach(async () => {
  engine.close();
  await fake[Symbol.asyncDispose]();
});
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

const specOf = (command: string[]): ContainerSpec => ({
  ...bareContainer(fake.image, command),
  env: { PATH: '/usr/bin:/bin' },
  workdir: '/workspace',
  mounts: [{ type: 'bind', hostDir: workspace, containerDir: '/workspace' }],
  probe: { hostDir: workspace, containerDir: '/workspace' },
});
const run = (command: string[], onOutput = collectOutput().take) =>
  engine.runContainer(specOf(command), { onOutput, stop: neverStop() });

async function failureOf(work: Promise<unknown>) {
  const thrown = (await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )) as GbuildError | undefined;
  const clean = (text: string) =>
    text
      .replaceAll(fake.host, 'ENGINE')
      .replaceAll(workspace, 'WORKSPACE')
      .replace(/container [0-9a-f]{12,64}/, 'container ID');
  return { code: thrown?.code, message: clean(thrown?.message ?? ''), suggestions: thrown?.suggestions.map(clean) };
}

describe('an engine that is not what it should be', () => {
  test('nothing answers', async () => {
    fake.die();
    expect(await failureOf(engine.info())).toMatchInlineSnapshot(`
      {
        "code": "engine-unreachable",
        "message": "cannot reach the container engine at ENGINE (from DOCKER_HOST): there is no such socket",
        "suggestions": [
          "unset DOCKER_HOST   # to use the local engine",
          "gbuild doctor",
        ],
      }
    `);
  });

  test('something else answers', async () => {
    fake.faults.foreign = true;
    expect(await failureOf(engine.info())).toMatchInlineSnapshot(`
      {
        "code": "engine-failed",
        "message": "what answers at ENGINE is not a container engine: /_ping names no API version",
        "suggestions": [
          "gbuild doctor",
        ],
      }
    `);
  });

  test('it is too old', async () => {
    fake.faults.apiVersion = '1.40';
    expect(await failureOf(engine.info())).toMatchInlineSnapshot(`
      {
        "code": "engine-failed",
        "message": "the engine at ENGINE speaks API 1.40; gbuild needs 1.41 or later (Docker 20.10, podman 4)",
        "suggestions": [
          "upgrade the engine",
          "gbuild doctor",
        ],
      }
    `);
  });

  test('it is newer than gbuild: ours is spoken', async () => {
    fake.faults.apiVersion = '1.99';
    expect((await engine.info()).apiVersion).toBe('1.51');
  });

  test.each(['other folder', 'empty folder'] as const)(
    'it sees an %s where the workspace should be, and nothing is started',
    async (blind) => {
      fake.faults.blind = blind;
      expect(await failureOf(run(['true']))).toMatchInlineSnapshot(`
        {
          "code": "engine-blind",
          "message": "the engine at ENGINE (from DOCKER_HOST) cannot see WORKSPACE: that engine sees another folder there, so it runs on another machine or in a container of its own",
          "suggestions": [
            "unset DOCKER_HOST DOCKER_CONTEXT   # to use an engine of this machine",
            "mount WORKSPACE at the same path where the engine runs",
            "gbuild doctor",
          ],
        }
      `);
      expect(fake.requests.filter((request) => request.endsWith('/start'))).toEqual([]);
      expect(fake.containers.size).toBe(0);
    },
  );
});

describe('a run in trouble', () => {
  test.each([126, 127])('a start refused because the command cannot be executed answers %i', async (exitCode) => {
    fake.faults.startRefused = { status: 400, exitCode, message: 'exec: "x": not possible' };
    expect(await run(['x'])).toMatchObject({ exitCode, startError: 'exec: "x": not possible' });
    expect(fake.containers.size).toBe(0);
  });

  test('a start refused for any other reason is the engine’s failure', async () => {
    fake.faults.startRefused = { status: 500, exitCode: 128, message: 'no space left on device' };
    expect(await failureOf(run(['true']))).toMatchInlineSnapshot(`
      {
        "code": "engine-failed",
        "message": "the engine at ENGINE refused to start the container: no space left on device (HTTP 500)",
        "suggestions": [
          "gbuild doctor",
        ],
      }
    `);
    expect(fake.containers.size).toBe(0);
  });

  test('a removal that is already in progress is waited for', async () => {
    fake.faults.removalsInProgress = 2;
    expect((await run(['true'])).exitCode).toBe(0);
    expect(fake.containers.size).toBe(0);
  });

  test('an engine that dies ends the run', async () => {
    const failure = await failureOf(run(['sh', '-c', 'echo up; sleep 600'], () => fake.die()));
    expect(failure).toMatchInlineSnapshot(`
      {
        "code": "engine-failed",
        "message": "the engine at ENGINE went away while asked to run the container ID: aborted",
        "suggestions": [
          "gbuild doctor",
          "try again when the engine is back",
        ],
      }
    `);
  });

  test('an engine that falls silent with its connections open ends the run', async () => {
    const heartbeat = { every: 20, deadline: 200, away: 200 };
    engine = connectEngine(endpointOf(fake.host), { owner: readOwner(), runId: 'faults', heartbeat });
    await engine.info();
    const failure = await failureOf(
      run(['sh', '-c', 'echo up; sleep 600'], () => {
        fake.faults.silent = true;
      }),
    );
    expect(failure).toMatchInlineSnapshot(`
      {
        "code": "engine-failed",
        "message": "the engine at ENGINE went away while asked to run the container ID: no sign of life within 0.2 s",
        "suggestions": [
          "gbuild doctor",
          "try again when the engine is back",
        ],
      }
    `);
  });

  test('an output stream that makes no sense ends the run', async () => {
    const failure = await failureOf(
      run(['sh', '-c', 'echo up; sleep 600'], () => {
        for (const container of fake.containers.values()) container.sendRaw(Buffer.from('not a frame at all'));
      }),
    );
    expect(failure).toMatchInlineSnapshot(`
      {
        "code": "engine-failed",
        "message": "the engine's output stream is broken: frame header 6e6f742061206672",
        "suggestions": [
          "try again",
          "gbuild doctor",
        ],
      }
    `);
    expect(fake.containers.size).toBe(0);
  });
});

describe('progress streams', () => {
  test('an error line of a load is thrown, also without a newline at its end', async () => {
    fake.faults.load = {
      text: '{"stream":"Loading"}\n{"errorDetail":{"message":"no space left"},"error":"no space left"}',
    };
    expect(await failureOf(engine.loadArchive([Buffer.alloc(512)], { stop: neverStop() }))).toMatchInlineSnapshot(`
      {
        "code": "engine-failed",
        "message": "the engine at ENGINE could not load the image: no space left",
        "suggestions": [
          "gbuild doctor   # is its disk full?",
        ],
      }
    `);
  });

  test('a build that fails says the reason first, then the last lines, and the command once and short', async () => {
    const command = `apt-get update && apt-get install ${'package '.repeat(40)}`;
    const failure = async (error: string) => {
      const lines = [
        { stream: `Step 1/1 : RUN ${command}\n` },
        { stream: 'E: Unable to locate package x\n' },
        { error },
      ];
      fake.faults.build = { text: lines.map((line) => `${JSON.stringify(line)}\n`).join('') };
      const request = { title: 'x', context: [Buffer.alloc(512)], tags: [], args: {}, labels: {}, stop: neverStop() };
      return (await failureOf(engine.buildImage(request))).message;
    };
    const reasons = [
      `The command '/bin/sh -c ${command}' returned a non-zero code: 100`,
      `executor failed running [/bin/sh -c ${command}]: exit code: 100`,
      `process "/bin/sh -c ${command}" did not complete successfully: exit code: 100`,
    ];
    const [first] = reasons;
    const message = await failure(first!);
    expect(message).toMatchInlineSnapshot(`
      "could not build x: its command ended with exit code: 100
        E: Unable to locate package x
        at step "[1/1] RUN apt-get update ...""
    `);
    for (const reason of reasons) expect(await failure(reason)).toBe(message);
  });

  test('a load that works says nothing', async () => {
    fake.faults.load = { text: '{"stream":"Loaded image: x"}\r\n' };
    expect(await engine.loadArchive([Buffer.alloc(512)], { stop: neverStop() })).toBeUndefined();
  });

  test.each([
    [404, 'image-missing'],
    [401, 'network-failed'],
    [500, 'network-failed'],
  ])('a pull answered with %i is %s', async (status, code) => {
    fake.faults.pull = { status, text: '{"message":"the registry says no"}' };
    expect(await failureOf(engine.pullImage('team/app:1', { stop: neverStop() }))).toMatchObject({
      code,
      message: expect.stringContaining('the registry says no'),
    });
  });

  test.each([
    ['archive/tar: invalid tar header', 'engine-failed', 'zstd'],
    ['unsupported media type application/vnd.oci.image.layer.v1.tar+zstd', 'engine-failed', 'zstd'],
    ['no matching manifest for linux/amd64 in the manifest list entries', 'engine-failed', 'platform'],
    ['write /var/lib/docker/tmp/x: no space left on device', 'engine-failed', 'room'],
    ['dial tcp: lookup registry.example.com: no such host', 'network-failed', 'network and proxy'],
  ])('a pull that ends with "%s" is %s, and what helps is %s', async (error, code, hint) => {
    fake.faults.pull = { text: `${JSON.stringify({ error })}\n` };
    const failure = await failureOf(engine.pullImage('team/app:1', { stop: neverStop() }));
    expect(failure).toMatchObject({ code, message: expect.stringContaining(error) });
    expect(failure.suggestions?.[0]).toContain(hint);
    expect(failure.suggestions?.join().includes('network')).toBe(code === 'network-failed');
  });

  test('a pull tells how far each layer is', async () => {
    fake.faults.pull = {
      text: '{"status":"Downloading","id":"abc","progressDetail":{"current":1,"total":2}}\n{"status":"Done"}\n',
    };
    const seen: unknown[] = [];
    await engine.pullImage('team/app:1', { onProgress: (progress) => seen.push(progress), stop: neverStop() });
    expect(seen).toEqual([
      { layer: 'abc', status: 'Downloading', current: 1, total: 2 },
      { layer: '', status: 'Done' },
    ]);
  });
});
