import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { isBeyondResuming, isDetached } from '../../../src/engine/container/resume.ts';
import { bareContainer, connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { GbuildError } from '../../../src/errors.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { neverStop } from '../../support/engines/run-io.ts';
import { type BreakableLine, openBreakableLine } from '../../support/network/breakable-line.ts';

const direct = inject('engineHost');
const runId = `resume-${process.pid}`;
let line: BreakableLine;
let engine: Engine;
beforeEach(async () => {
  line = await openBreakableLine(direct);
  engine = connectEngine(endpointOf(line.host), {
    owner: readOwner(),
    runId,
    heartbeat: { every: 300, deadline: 1_500, away: 60_000 },
  });
});
afterEach(async () => {
  engine.close();
  await line[Symbol.asyncDispose]();
  expect(await findContainers()).toEqual([]);
});

async function findContainers(): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`io.gbuild.run=${runId}`] }));
  const { text } = await askEngine(direct, 'GET', `/containers/json?all=1&filters=${filters}`);
  return (JSON.parse(text) as { Id: string }[]).map(({ Id }) => Id);
}

/** What a task of the test does, what was seen of it, and what was told. */
function watchOutput() {
  const seen = { stdout: '', stderr: '' };
  const told: string[] = [];
  const until = async (text: string) => {
    while (!seen.stdout.includes(text)) await sleep(20);
  };
  const io = {
    onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => {
      seen[stream] += chunk.toString('latin1');
    },
    onAway: (text: string) => void told.push(text.replaceAll(line.host, 'ENGINE').replace(/\d+ s/, 'N s')),
    stop: neverStop(),
  };
  return { seen, told, until, io };
}

const task = async (script: string) => {
  const log = await engine.chooseLog();
  expect(log).toBe('local');
  return { ...bareContainer(inject('baseImage'), ['sh', '-c', script]), ...(log && { log }) };
};

/** Both streams, no line end at the end, and bytes that are no text. */
const talk =
  "for i in $(seq 1 40); do echo out $i; echo err $i >&2; sleep 0.1; done; printf '\\377\\000\\201 end' >&2; printf 'open end'; exit 5";
const lines = (word: string) => Array.from({ length: 40 }, (_, index) => `${word} ${index + 1}\n`).join('');

describe('a container whose engine is lost for a while', () => {
  for (const way of ['cut', 'stall'] as const)
    test(`is watched on when the connection is back (${way}): not a byte is lost or comes twice`, async () => {
      const { seen, told, until, io } = watchOutput();
      const running = engine.runContainer(await task(talk), io);
      await until('out 10\n');
      line[way]();
      // Longer than two signs of life are waited for.
      await sleep(way === 'cut' ? 1_500 : 5_000);
      line.restore();
      expect((await running).exitCode).toBe(5);
      expect(seen).toEqual({ stdout: `${lines('out')}open end`, stderr: `${lines('err')}\xff\0\x81 end` });
      if (way === 'cut')
        expect(told).toEqual([
          'the connection to ENGINE is lost; asking again for N s, the task goes on there',
          'ENGINE answers again after N s',
        ]);
    });

  test('has lines of any length: what the engine forgets of long ones is put there again', async () => {
    const { seen, until, io } = watchOutput();
    const long = 'head -c 20000 /dev/zero | tr "\\0" a; echo; head -c 40000 /dev/zero | tr "\\0" b >&2; echo >&2;';
    const running = engine.runContainer(await task(`${long} echo ready; sleep 2; ${long} echo; exit 5`), io);
    await until('ready\n');
    line.cut();
    await sleep(500);
    line.restore();
    expect((await running).exitCode).toBe(5);
    const [a, b] = ['a'.repeat(20_000), 'b'.repeat(40_000)];
    expect(seen.stdout === `${a}\nready\n${a}\n\n`).toBe(true);
    // Whether the last line has an end nobody can tell.
    expect(seen.stderr.trimEnd() === `${b}\n${b}`).toBe(true);
  });

  test('is watched on again and again', async () => {
    const { seen, until, io } = watchOutput();
    const running = engine.runContainer(await task(talk), io);
    for (const text of ['out 5\n', 'out 15\n', 'out 25\n', 'out 35\n']) {
      await until(text);
      line.cut();
      await sleep(100);
      line.restore();
    }
    expect((await running).exitCode).toBe(5);
    expect(seen).toEqual({ stdout: `${lines('out')}open end`, stderr: `${lines('err')}\xff\0\x81 end` });
  });

  test('and that ended meanwhile gives its exit code and the rest of its output', async () => {
    const { seen, until, io } = watchOutput();
    const running = engine.runContainer(await task('echo one; sleep 1; echo two; exit 6'), io);
    await until('one\n');
    line.cut();
    await waitForEnd();
    line.restore();
    expect([(await running).exitCode, seen.stdout]).toEqual([6, 'one\ntwo\n']);
  });

  test('and that was killed meanwhile is no failed task: its engine may have done it', async () => {
    const { until, io } = watchOutput();
    const running = failureOf(engine.runContainer(await task('echo one; sleep 600'), io));
    await until('one\n');
    line.cut();
    const [id] = await findContainers();
    await askEngine(direct, 'POST', `/containers/${id}/kill`);
    await waitForEnd();
    line.restore();
    const error = await running;
    expect([error.code, error.message.replace(id!.slice(0, 12), 'ID').replace(line.host, 'ENGINE')]).toEqual([
      'engine-failed',
      'the container ID was ended with code 137 while the engine at ENGINE was away',
    ]);
    expect(isBeyondResuming(error)).toBe(true);
  });
});

test('an engine that stays away leaves the container to go on, and it can be watched to its end later', async () => {
  const impatient = connectEngine(engine.endpoint, {
    owner: readOwner(),
    runId,
    heartbeat: { every: 300, deadline: 1_500, away: 500 },
  });
  const { seen, until, io } = watchOutput();
  const running = failureOf(impatient.runContainer(await task(talk), io));
  await until('out 10\n');
  line.cut();
  const error = await running;
  impatient.close();
  if (!isDetached(error)) throw new Error('not detached', { cause: error });
  expect([error.exitCode, isBeyondResuming(error)]).toEqual([3, false]);
  expect(await findContainers()).toEqual([error.watched.id]);
  line.restore();
  const rest = await engine.resumeContainer(JSON.parse(JSON.stringify(error.watched)), io);
  expect(rest.exitCode).toBe(5);
  expect(seen).toEqual({ stdout: `${lines('out')}open end`, stderr: `${lines('err')}\xff\0\x81 end` });
});

test('a stop while the engine is away ends the waiting', async () => {
  const asked = new AbortController();
  const { until, io } = watchOutput();
  const stop = { ask: asked.signal, kill: new AbortController().signal };
  const running = engine.runContainer(await task('echo one; sleep 600'), { ...io, stop });
  await until('one\n');
  line.cut();
  await sleep(1_000);
  asked.abort(new Error('asked to stop'));
  await expect(running).rejects.toThrow('asked to stop');
  for (const id of await findContainers()) await askEngine(direct, 'DELETE', `/containers/${id}?force=1`);
});

async function failureOf(work: Promise<unknown>): Promise<GbuildError> {
  const thrown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (thrown instanceof GbuildError) return thrown;
  throw new Error('expected a GbuildError', { cause: thrown });
}

async function waitForEnd(): Promise<void> {
  const [id] = await findContainers();
  await askEngine(direct, 'POST', `/containers/${id}/wait?condition=not-running`);
}
