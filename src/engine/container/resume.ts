import { setTimeout as sleep } from 'node:timers/promises';
import { GbuildError } from '../../errors.ts';
import { Demuxer, type Frame } from '../answer/demux.ts';
import { parseJson, readNumber } from '../answer/json.ts';
import { LineEnds, lineEnd } from '../answer/line-ends.ts';
import type { EngineClient } from '../client/client.ts';
import { EngineRefusalError, isLost, notUnderstood } from '../client/failures.ts';
import { answers, keepWatch } from '../client/heartbeat.ts';
import { inspectState } from './container.ts';
import { forwardStop } from './forward-stop.ts';
import { type Alive, seeAlive } from './see-alive.ts';
import type { ContainerIO, ContainerResult, OutputSeen } from './spec.ts';

/** Running container, its output settings, and the output that was handed over already. */
export interface Watched {
  id: string;
  tty: boolean;
  seen: OutputSeen;
  graceSeconds: number;
}

/** Failure: a container continues alone, on an engine that cannot be reached. */
export class DetachedError extends GbuildError {
  readonly watched: Watched;

  constructor(message: string, watched: Watched, details: { suggestions: string[]; cause?: unknown; facts: object }) {
    super('engine-failed', message, details);
    this.watched = watched;
  }
}

export function isDetached(thrown: unknown): thrown is DetachedError {
  return thrown instanceof DetachedError;
}

/** Failure: a container ended while its engine was unreachable, for an unknown reason. */
class EndedAwayError extends GbuildError {}

/** Whether a container cannot be attached again: it is gone, or it ended unobserved. */
export function isBeyondResuming(thrown: unknown): boolean {
  return thrown instanceof EndedAwayError || (thrown instanceof EngineRefusalError && thrown.status === 404);
}

/** Number of connections in a row that may break without a byte of output. */
const mostBarren = 20;
const pauseMilliseconds = 500;
/** Milliseconds for which a followed log may continue after the container's end. */
const lingerMilliseconds = 2_000;

/** Counts the output that goes through, so that watching can continue after it. */
export function countOutput(io: ContainerIO, seen: OutputSeen): ContainerIO {
  return {
    ...io,
    onOutput: (stream, chunk) => {
      seen[stream] += chunk.length;
      return io.onOutput(stream, chunk);
    },
  };
}

/**
 * Continues watching a container whose engine was lost. When the engine answers again, the output after `seen` comes
 * from the container's log. Continues to count in `seen`.
 *
 * @throws DetachedError when the engine cannot be reached again; GbuildError `engine-failed` when the container ended
 * meanwhile, possibly because of the engine; the reason of the stop
 */
export async function resumeContainer(
  client: EngineClient,
  watched: Watched,
  io: ContainerIO,
): Promise<Omit<ContainerResult, 'seconds'>> {
  const counted = countOutput(io, watched.seen);
  for (let barren = 0; ; barren += 1) {
    await reachAgain(client, watched, io);
    const before = watched.seen.stdout + watched.seen.stderr;
    try {
      const what = `run the container ${watched.id.slice(0, 12)}`;
      const alive: Alive = { id: watched.id, isStarted: true, hasExited: false };
      const work = (signal: AbortSignal) => watch(client, watched, counted, alive, signal);
      return await keepWatch(client, what, undefined, work, seeAlive(alive));
    } catch (thrown) {
      if (!isLost(thrown) || barren === mostBarren) throw thrown;
    }
    if (watched.seen.stdout + watched.seen.stderr > before) barren = 0;
  }
}

/** Settles when the engine answers; a stop ends the wait. */
async function reachAgain(client: EngineClient, watched: Watched, { stop, onAway }: ContainerIO): Promise<void> {
  const { away, deadline } = client.heartbeat;
  const { url } = client.endpoint;
  const began = performance.now();
  let told = false;
  while (!(await answers(client, deadline))) {
    stop.kill.throwIfAborted();
    stop.ask.throwIfAborted();
    if (performance.now() - began > away) throw stayedAway(client, watched);
    if (!told) onAway?.(`the connection to ${url} is lost; asking again for ${away / 1000} s, the task goes on there`);
    told = true;
    await sleep(pauseMilliseconds);
  }
  if (told) onAway?.(`${url} answers again after ${Math.round((performance.now() - began) / 1000)} s`);
}

function stayedAway(client: EngineClient, watched: Watched): DetachedError {
  const { url } = client.endpoint;
  const seconds = client.heartbeat.away / 1000;
  return new DetachedError(
    `the engine at ${url} has been away for ${seconds} s; the container ${watched.id.slice(0, 12)} goes on there unless the engine itself has ended`,
    watched,
    { suggestions: ['gbuild doctor'], facts: { endpoint: url, watched } },
  );
}

async function watch(
  client: EngineClient,
  { id, tty, seen, graceSeconds }: Watched,
  io: ContainerIO,
  alive: Alive,
  signal: AbortSignal,
): Promise<Omit<ContainerResult, 'seconds'>> {
  const { running, started } = await inspectState(client, id);
  if (!started) throw neverStarted(client, id);
  using _stop = forwardStop(client, id, io.stop, graceSeconds);
  const over = new AbortController();
  const readOn = (follow: boolean) => {
    const either = follow ? AbortSignal.any([signal, over.signal]) : signal;
    return readLog(client, { id, tty, follow, left: { ...seen } }, io, either);
  };
  const logs = readOn(true);
  logs.catch(() => {});
  try {
    const exit = readExit(client, id, signal).finally(() => {
      alive.hasExited = true;
    });
    const exitCode = await Promise.race([exit, logs.then(() => exit)]);
    await Promise.race([logs, sleep(lingerMilliseconds)]);
    over.abort();
    await logs.catch((thrown: unknown) => {
      if (!isLost(thrown)) throw thrown;
    });
    // Following may miss a last line without a line end, or the connection is dead.
    await readOn(false);
    if (!running && exitCode > 128 && !io.stop.ask.aborted) throw endedAway(client, id, exitCode);
    const oomKilled = exitCode !== 0 && (await inspectState(client, id)).oomKilled;
    return { exitCode, oomKilled };
  } finally {
    over.abort();
  }
}

function neverStarted(client: EngineClient, id: string): GbuildError {
  const { url } = client.endpoint;
  return new GbuildError(
    'engine-failed',
    `the container ${id.slice(0, 12)} was not started before the engine at ${url} went away`,
    { suggestions: ['run it again'], facts: { endpoint: url } },
  );
}

/** Reports a container that a signal ended unobserved: a restart of the engine may have ended it. */
function endedAway(client: EngineClient, id: string, exitCode: number): GbuildError {
  const { url } = client.endpoint;
  return new EndedAwayError(
    'engine-failed',
    `the container ${id.slice(0, 12)} was ended with code ${exitCode} while the engine at ${url} was away`,
    {
      suggestions: ['run it again: whether the task or its engine failed cannot be told'],
      facts: { endpoint: url, exitCode },
    },
  );
}

async function readExit(client: EngineClient, id: string, signal: AbortSignal): Promise<number> {
  const what = `run the container ${id.slice(0, 12)}`;
  const path = `/containers/${id}/wait`;
  const answer = await client.send({ what, method: 'POST', path, query: { condition: 'not-running' }, signal });
  if (answer.statusCode !== 200) await client.refuse(answer, what);
  const code = readNumber(parseJson(await client.readText(answer, what, Number.POSITIVE_INFINITY)), 'StatusCode');
  if (code === undefined) throw notUnderstood(client.endpoint, what);
  return code;
}

/**
 * Reads the log from the start (GET /containers/{id}/logs). The first `left` bytes of each stream are skipped, because
 * a line has no number.
 */
async function readLog(
  client: EngineClient,
  { id, tty, follow, left }: { id: string; tty: boolean; follow: boolean; left: OutputSeen },
  io: ContainerIO,
  signal: AbortSignal,
): Promise<void> {
  const what = 'send the output of the container';
  const query = { follow, stdout: true, stderr: true };
  // Following gets no sign while nothing is written.
  const within = follow ? { within: Number.POSITIVE_INFINITY } : {};
  const answer = await client.send({ what, method: 'GET', path: `/containers/${id}/logs`, query, signal, ...within });
  if (answer.statusCode !== 200) await client.refuse(answer, what);
  const demuxer = new Demuxer();
  const ends = new LineEnds();
  const handOver = async (stream: Frame['stream'], data: Buffer) => {
    const passed = Math.min(left[stream], data.length);
    left[stream] -= passed;
    if (passed < data.length) await io.onOutput(stream, data.subarray(passed));
  };
  for await (const chunk of client.readChunks(answer, what, follow ? undefined : client.pace)) {
    if (tty) await handOver('stdout', chunk);
    else
      for (const frame of demuxer.split(chunk)) {
        if (ends.isMissingBefore(frame)) await handOver(frame.stream, lineEnd);
        await handOver(frame.stream, frame.data);
      }
  }
}
