import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { GbuildError } from '../../errors.ts';
import { Stalled } from '../../oci/stream/pace.ts';
import { parseJson, readNumber } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { engineLost, engineSilent, isLost } from '../client/failures.ts';
import { keepWatch } from '../client/heartbeat.ts';
import { attachOutput } from './attach.ts';
import { createContainer, inspectState, putFiles, removeContainer } from './container.ts';
import { handOverSecrets } from './deliver-secrets.ts';
import { readExecFailure } from './exec-failure.ts';
import { forwardStop } from './forward-stop.ts';
import { verifyMount } from './probe.ts';
import { openPublishing } from './publish-ports.ts';
import { countOutput, isDetached, resumeContainer } from './resume.ts';
import { type Alive, seeAlive } from './see-alive.ts';
import type { ContainerIO, ContainerResult, ContainerSpec, OutputSeen } from './spec.ts';
import { explainRefusal, startContainer } from './start.ts';

/**
 * Runs one container from creation to removal. It attaches and waits before the start, so that no byte and no exit is
 * missed. When it returns or throws, the container and its anonymous volumes are gone.
 *
 * @throws GbuildError `image-missing`, `engine-blind`, `engine-failed`, or the reason of the stop once the container
 * ended
 */
export async function runContainer(
  client: EngineClient,
  spec: ContainerSpec,
  io: ContainerIO,
): Promise<ContainerResult> {
  const began = performance.now();
  throwIfStopped(io);
  const id = await createContainer(client, spec);
  const outcome = await removeAfter(client, id, io, () => watchContainer(client, id, spec, io));
  return { ...outcome, seconds: (performance.now() - began) / 1000 };
}

/**
 * Removes the container when the work with it ends, unless its engine is lost and the container can be attached again.
 */
export async function removeAfter<T>(
  client: EngineClient,
  id: string,
  io: ContainerIO,
  work: () => Promise<T>,
): Promise<T> {
  let outcome: T;
  try {
    outcome = await work();
  } catch (thrown) {
    if (isDetached(thrown)) throw thrown;
    await removeContainer(client, id, { lost: isLost(thrown), kill: true }).catch(() => {
      // The first error takes precedence; the labels let a later sweep remove the container.
    });
    throw thrown;
  }
  await removeContainer(client, id, { lost: false });
  throwIfStopped(io);
  return outcome;
}

/**
 * Starts a created container and watches it to its end. Where the engine keeps the output, it waits for a connection
 * that is lost after the start. Does not remove the container.
 */
export async function watchContainer(
  client: EngineClient,
  id: string,
  spec: ContainerSpec,
  io: ContainerIO,
): Promise<Omit<ContainerResult, 'seconds'>> {
  const seen: OutputSeen = { stdout: 0, stderr: 0 };
  const run: Running = { id, spec, io: countOutput(io, seen), isStarted: false, hasExited: false };
  try {
    const what = `run the container ${id.slice(0, 12)}`;
    return await keepWatch(client, what, undefined, (signal) => startAndWatch(client, run, signal), seeAlive(run));
  } catch (thrown) {
    if (spec.log === undefined || !run.isStarted || !isLost(thrown)) throw thrown;
  }
  const { tty, graceSeconds = 10 } = spec;
  return resumeContainer(client, { id, tty, seen, graceSeconds }, io);
}

/** Container between its start and its end. */
interface Running extends Alive {
  spec: ContainerSpec;
  io: ContainerIO;
}

async function startAndWatch(
  client: EngineClient,
  run: Running,
  signal: AbortSignal,
): Promise<Omit<ContainerResult, 'seconds'>> {
  const { id, spec, io } = run;
  const prepared = await prepare(client, id, spec, io, signal)
    .catch(readExecFailure)
    .catch(async (thrown: unknown) => Promise.reject(await explainRefusal(client, spec, thrown, signal)));
  if ('exitCode' in prepared) return prepared;
  const [socket, wait] = prepared;
  const publishing = openPublishing(client, id, spec.ports, io);
  const attachment = attachOutput(socket, spec, publishing.io);
  const exit = readExit(client, id, wait).finally(() => {
    run.hasExited = true;
  });
  exit.catch(() => {});
  try {
    throwIfStopped(io);
    // From here on the container may run, whether or not the answer comes.
    run.isStarted = true;
    const failed = await startContainer(client, id, spec, signal);
    if (failed !== undefined) return { ...failed, oomKilled: false };
    using _stop = forwardStop(client, id, io.stop, spec.graceSeconds ?? 10);
    if (spec.tty) followTerminal(client, id, io, signal);
    await publishing.tell();
    const secrets = handOverSecrets(client, id, spec.secrets ?? [], signal);
    // Output that cannot be taken (a full disk below the log) ends the run. A normal end of the output does not: the
    // exit counts.
    const exitCode = await Promise.race([exit, attachment.broken, secrets]);
    await attachment.drained(client.pace);
    if (attachment.isSlow) throw engineSilent(client.endpoint, 'give all output', new Stalled('it comes byte by byte'));
    if (attachment.wasCut && spec.log !== undefined) throw engineLost(client.endpoint, 'give all output', 'cut off');
    const oomKilled = exitCode !== 0 && (await inspectState(client, id)).oomKilled;
    return { exitCode, oomKilled };
  } finally {
    attachment.close();
    wait.destroy();
  }
}

/** Prepares the start with overlapping calls: files and probe one after the other, attach and wait in parallel. */
async function prepare(
  client: EngineClient,
  id: string,
  spec: ContainerSpec,
  io: ContainerIO,
  signal: AbortSignal,
): Promise<[Socket, IncomingMessage]> {
  const attach = client.hijack({
    what: 'attach to the container',
    method: 'POST',
    path: `/containers/${id}/attach`,
    query: { stream: true, stdin: spec.stdin, stdout: true, stderr: true },
    signal,
  });
  const wait = client.send({
    what: 'wait for the container',
    method: 'POST',
    path: `/containers/${id}/wait`,
    query: { condition: 'next-exit' },
    signal,
  });
  const fill = putFiles(client, id, spec.files, signal).then(async () => {
    if (spec.probe !== undefined) await verifyMount(client, id, spec.probe, signal);
  });
  const [attached, waiting, filled, ready] = await Promise.allSettled([attach, wait, fill, io.ready]);
  const isDone = filled.status === 'fulfilled' && ready.status === 'fulfilled';
  if (attached.status === 'fulfilled' && waiting.status === 'fulfilled' && isDone)
    return [attached.value, waiting.value];
  if (attached.status === 'fulfilled') attached.value.destroy();
  if (waiting.status === 'fulfilled') waiting.value.destroy();
  throw [ready, filled, attached, waiting].find((each) => each.status === 'rejected')?.reason;
}

async function readExit(client: EngineClient, id: string, wait: IncomingMessage): Promise<number> {
  const what = `run the container ${id.slice(0, 12)}`;
  if (wait.statusCode !== 200) await client.refuse(wait, what);
  const code = readNumber(parseJson(await client.readText(wait, what, Number.POSITIVE_INFINITY)), 'StatusCode');
  if (code !== undefined) return code;
  throw new GbuildError('engine-failed', `the engine at ${client.endpoint.url} lost the container ${id.slice(0, 12)}`, {
    suggestions: ['try again', 'gbuild doctor'],
    facts: { endpoint: client.endpoint.url, container: id },
  });
}

function followTerminal(client: EngineClient, id: string, io: ContainerIO, signal: AbortSignal): void {
  const resize = (columns: number, rows: number) => {
    const request = { what: 'resize the terminal', method: 'POST', path: `/containers/${id}/resize`, signal } as const;
    // A failure affects the picture only, and the container may just have ended.
    client.call({ ...request, query: { w: columns, h: rows } }).catch(() => {});
  };
  if (io.terminal === undefined) return;
  resize(io.terminal.columns, io.terminal.rows);
  io.terminal.onResize(resize);
}

function throwIfStopped({ stop }: ContainerIO): void {
  stop.kill.throwIfAborted();
  stop.ask.throwIfAborted();
}
