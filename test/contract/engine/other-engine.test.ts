import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { bareContainer, type ContainerSpec, connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { type EngineContainer, startEngineContainer } from '../../support/engines/engine-container.ts';
import { neverStop } from '../../support/engines/run-io.ts';

const workspace = mkdtempSync(join(tmpdir(), 'gbuild-other-'));
let other: EngineContainer;
let engine: Engine;

beforeAll(async () => {
  other = await startEngineContainer(inject('engineHost'));
  engine = connectEngine(endpointOf(other.host), {
    owner: readOwner(),
    runId: 'other',
    heartbeat: { every: 500, deadline: 2_000, away: 2_000 },
  });
  writeFileSync(join(workspace, 'file'), 'x');
});
afterAll(async () => {
  engine?.close();
  await other?.[Symbol.asyncDispose]();
  rmSync(workspace, { recursive: true, force: true });
});

const specOf = (script: string, hostDir?: string): ContainerSpec => ({
  ...bareContainer(inject('baseImage'), ['sh', '-c', script]),
  mounts: hostDir === undefined ? [] : [{ type: 'bind', hostDir, containerDir: '/workspace' }],
  ...(hostDir !== undefined && { probe: { hostDir, containerDir: '/workspace' } }),
});
const run = (spec: ContainerSpec, onOutput: () => void = () => {}) =>
  engine.runContainer(spec, { onOutput, stop: neverStop() });

test('an engine of its own machine runs what needs no workspace', async () => {
  expect((await run(specOf('exit 3'))).exitCode).toBe(3);
});

test('an engine of its own machine gives a command its secrets', async () => {
  const spec: ContainerSpec = {
    ...specOf('test "$(cat /run/secrets/TOKEN)" = value && exit 4'),
    mounts: [{ type: 'tmpfs', containerDir: '/run/secrets', size: 1 << 20 }],
    secrets: [{ path: '/run/secrets/TOKEN', value: Buffer.from('value') }],
  };
  expect((await run(spec)).exitCode).toBe(4);
});

test('a workspace that this engine does not have is refused', async () => {
  await expect(run(specOf('true', workspace))).rejects.toMatchObject({
    code: 'engine-blind',
    facts: { hostDir: workspace },
  });
});

test('another folder of the same name is refused: never an empty mount', async () => {
  await expect(run(specOf('true', tmpdir()))).rejects.toMatchObject({
    code: 'engine-blind',
    facts: { hostDir: tmpdir() },
  });
});

test('an engine that freezes with its connections open ends the run', async () => {
  const frozen = await startEngineContainer(inject('engineHost'));
  const client = connectEngine(endpointOf(frozen.host), {
    owner: readOwner(),
    runId: 'frozen',
    heartbeat: { every: 200, deadline: 1_000, away: 1_000 },
  });
  try {
    const work = client.runContainer(specOf('echo up; sleep 600'), {
      onOutput: () => void frozen.freeze(),
      stop: neverStop(),
    });
    await expect(work).rejects.toMatchObject({ code: 'engine-failed', message: expect.stringContaining(frozen.host) });
  } finally {
    client.close();
    await frozen[Symbol.asyncDispose]();
  }
});

test('an engine that is killed ends the run, and the error names engine and container', async () => {
  const work = run(specOf('echo up; sleep 600'), () => void other.kill());
  await expect(work).rejects.toMatchObject({
    code: 'engine-failed',
    message: expect.stringMatching(
      new RegExp(`^the engine at ${other.host} went away while asked to .* the container [0-9a-f]{12}: `),
    ),
  });
});
