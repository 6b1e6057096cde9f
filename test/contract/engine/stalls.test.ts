import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bareContainer, type ContainerSpec, connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { GbuildError } from '../../../src/errors.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { mapInOrder } from '../../../src/registry/image/map-in-order.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { FakeEngine } from '../../support/engines/fake-engine.ts';
import { type LyingEngine, type LyingOptions, lies, startLyingEngine } from '../../support/engines/lying-engine.ts';
import { collectOutput, neverStop } from '../../support/engines/run-io.ts';

/** Of a load and a pull. */
const messages = '{"status":"Downloading","id":"abc","progressDetail":{"current":1,"total":2}}\n'.repeat(3);
const workspace = mkdtempSync(join(tmpdir(), 'gbuild-stalls-'));
const limits = { requestTimeout: 4_000, heartbeat: { every: 400, deadline: 4_000, away: 4_000 } };
let fake: FakeEngine;

beforeAll(async () => {
  fake = await FakeEngine.start();
  fake.faults.load = { text: messages };
  fake.faults.pull = { text: messages };
  writeFileSync(join(workspace, 'file'), 'x');
});
afterAll(async () => {
  await fake[Symbol.asyncDispose]();
  rmSync(workspace, { recursive: true, force: true });
});

interface Met {
  code: string;
  message: string;
  suggestions: string[];
}

/** What the work comes to behind a line that lies; the ids of containers that were made stay in `line`. */
async function meet(
  options: LyingOptions,
  work: (engine: Engine) => Promise<unknown>,
): Promise<{ line: LyingEngine; met: Met | undefined; output: unknown }> {
  await using line = await startLyingEngine(fake.host, options);
  const engine = connectEngine(endpointOf(line.host), { owner: readOwner(), runId: 'stalls', ...limits });
  try {
    return { line, met: undefined, output: await work(engine) };
  } catch (thrown) {
    if (!(thrown instanceof GbuildError)) throw thrown;
    const clean = (text: string) =>
      text
        .replaceAll(line.host, 'ENGINE')
        .replace(/[0-9a-f]{12,64}/, 'ID')
        .replace(/[\d.]+ s$/, 'TIME');
    const { code, message, suggestions } = thrown;
    return { line, met: { code, message: clean(message), suggestions: suggestions.map(clean) }, output: undefined };
  } finally {
    engine.close();
  }
}

const specOf = (command: string[]): ContainerSpec => ({
  ...bareContainer(fake.image, command),
  env: { PATH: '/usr/bin:/bin' },
  workdir: '/workspace',
  labels: { 'io.gbuild.test': 'stalls' },
  mounts: [{ type: 'bind', hostDir: workspace, containerDir: '/workspace' }],
  probe: { hostDir: workspace, containerDir: '/workspace' },
  files: [{ path: '/put', type: 'file', mode: 0o644, uid: 0, gid: 0, content: Buffer.from('put') }],
});
const run = async (engine: Engine) => {
  const { take, read } = collectOutput();
  const { exitCode } = await engine.runContainer(specOf(['sh', '-c', 'echo out']), {
    onOutput: take,
    stop: neverStop(),
  });
  return { exitCode, ...read() };
};
const load = (engine: Engine) => engine.loadArchive([Buffer.alloc(512)], { stop: neverStop() });
const pull = (engine: Engine) => engine.pullImage('team/app:1', { stop: neverStop() });

/** Of a run. */
const kinds = [
  'GET /_ping',
  'POST /containers/create',
  'POST /containers/ID/attach',
  'POST /containers/ID/wait',
  'PUT /containers/ID/archive',
  'HEAD /containers/ID/archive',
  'POST /containers/ID/start',
  'DELETE /containers/ID',
];

describe('a run on an engine that stalls or lies', () => {
  test('makes these requests', async () => {
    const { line, output } = await meet({}, run);
    expect(output).toEqual({ exitCode: 0, stdout: 'out\n', stderr: '' });
    expect(line.requests.map(({ kind }) => kind)).toEqual(expect.arrayContaining(kinds));
  });

  test('ends whatever it does at which of them, and leaves no container', async () => {
    const all = kinds.flatMap((kind) => lies.map((lie) => ({ kind, lie })));
    const ends = await mapInOrder(all, 14, async (each) => ({ each, ...(await meet(each, run)) }));
    for (const { each, line, met, output } of ends) {
      const made = line.requests.map(({ container }) => container).filter(Boolean);
      const kept = made.filter((id) => fake.containers.has(id!));
      expect([each, met?.message, kept]).toEqual([each, met?.message, []]);
      if (met === undefined) expect([each, output]).toEqual([each, expect.objectContaining({ exitCode: 0 })]);
      else expect([each, met.code]).toEqual([each, expect.stringMatching(/^engine-(failed|blind|unreachable)$/)]);
    }
  });
});

describe.concurrent('an engine that stalls or lies', () => {
  test('ends a run when nothing is answered any more, from whichever request on', async ({ expect }) => {
    const ends = await mapInOrder(kinds, kinds.length, (kind) => meet({ kind, lie: 'stall', lasting: true }, run));
    for (const { met } of ends) expect(met).toMatchObject({ code: 'engine-failed' });
  });

  test('of a run: what was asked, and what to type', async ({ expect }) => {
    const [start, wait] = await Promise.all([
      meet({ kind: 'POST /containers/ID/start', lie: 'stall' }, run),
      meet({ kind: 'POST /containers/ID/wait', lie: 'half' }, run),
    ]);
    expect(start.met).toMatchInlineSnapshot(`
      {
        "code": "engine-failed",
        "message": "the engine at ENGINE does not answer, asked to start the container: no data came for TIME",
        "suggestions": [
          "gbuild doctor",
          "export GBUILD_REQUEST_TIMEOUT=10m   # if it is only slow",
        ],
      }
    `);
    expect(wait.met).toMatchInlineSnapshot(`
      {
        "code": "engine-failed",
        "message": "the engine at ENGINE went away while asked to run the container ID: the container has ended, and its exit code is not known",
        "suggestions": [
          "gbuild doctor",
          "try again when the engine is back",
        ],
      }
    `);
  });

  const works = { load, pull };

  const tell = async (name: keyof typeof works) => {
    const kind = name === 'load' ? 'POST /images/load' : 'POST /images/create';
    const told = await Promise.all(
      lies.map(async (lie) => [lie, (await meet({ kind, lie }, works[name])).met?.message]),
    );
    return Object.fromEntries(told);
  };

  test('a load ends, whatever it does', async ({ expect }) => {
    expect(await tell('load')).toMatchInlineSnapshot(`
      {
        "cut": "the engine at ENGINE went away while asked to load an image: socket hang up",
        "drip": "the engine at ENGINE does not answer, asked to load an image: no data came for TIME",
        "error": "the engine at ENGINE refused to load an image: a lie (HTTP 500)",
        "garbage": "the engine at ENGINE, asked to load an image, gave an answer that is not understood",
        "half": "the engine at ENGINE does not answer, asked to load an image: no data came for TIME",
        "other": undefined,
        "stall": "the engine at ENGINE does not answer, asked to load an image: no data came for TIME",
      }
    `);
  });

  test('a pull ends, whatever it does', async ({ expect }) => {
    expect(await tell('pull')).toMatchInlineSnapshot(`
      {
        "cut": "the engine at ENGINE went away while asked to pull team/app:1: socket hang up",
        "drip": "the engine at ENGINE does not answer, asked to pull team/app:1: no data came for TIME",
        "error": "the engine at ENGINE could not pull team/app:1: a lie",
        "garbage": "the engine at ENGINE, asked to pull team/app:1, gave an answer that is not understood",
        "half": "the engine at ENGINE does not answer, asked to pull team/app:1: no data came for TIME",
        "other": undefined,
        "stall": "the engine at ENGINE does not answer, asked to pull team/app:1: no data came for TIME",
      }
    `);
  });
});
