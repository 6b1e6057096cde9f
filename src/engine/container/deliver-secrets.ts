import { addAbortSignal, type Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GbuildError } from '../../errors.ts';
import type { Stalled } from '../../oci/stream/pace.ts';
import { readField, readNumber, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { engineSilent, notUnderstood } from '../client/failures.ts';
import { SilenceLimit } from '../client/request-limit.ts';
import type { ContainerSecret } from './spec.ts';

const what = 'hand a secret to the container';

/** Writes atomically, so that the waiting command never sees a partial value. */
const script = 'umask 377 && cat >"$1.part" && mv "$1.part" "$1"';

/** Milliseconds in which a container may end after its engine refused a secret. */
const moment = 2_000;

/**
 * Gives a started container its secrets, each over the standard input of an exec. This works alike on a local and on a
 * remote engine. Neither the container's description nor any disk ever holds a value. It never resolves, and rejects
 * only where the container lives on without its secrets: a short command ends before the engine confirms them.
 */
export async function handOverSecrets(
  client: EngineClient,
  id: string,
  secrets: ContainerSecret[],
  signal: AbortSignal,
): Promise<never> {
  try {
    await Promise.all(secrets.map((secret) => putSecret(client, id, secret, signal)));
  } catch (error) {
    await new Promise((resolve) => setTimeout(resolve, moment).unref());
    throw error;
  }
  return new Promise(() => {});
}

async function putSecret(
  client: EngineClient,
  id: string,
  { path, value }: ContainerSecret,
  signal: AbortSignal,
): Promise<void> {
  const streams = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false };
  const json = { ...streams, Cmd: ['/bin/sh', '-c', script, 'sh', path] };
  const made = await client.call({ what, method: 'POST', path: `/containers/${id}/exec`, json, signal });
  const exec = readText(made.json, 'Id');
  if (!exec) throw notUnderstood(client.endpoint, what);
  const start = {
    what,
    method: 'POST',
    path: `/exec/${exec}/start`,
    json: { Detach: false, Tty: false },
    signal,
  } as const;
  const socket = await client.hijack(start);
  const limit = new SilenceLimit(() => client.requestTimeout);
  const inspect = () =>
    client.call({ what, method: 'GET', path: `/exec/${exec}/json`, signal }).then(({ json }) => json);
  let exitCode: number | undefined;
  try {
    exitCode = await pour(socket, value, AbortSignal.any([signal, limit.signal]), inspect);
  } finally {
    limit.end();
  }
  if (limit.signal.aborted) throw engineSilent(client.endpoint, what, limit.signal.reason as Stalled);
  if (exitCode === 0) return;
  throw new GbuildError(
    'engine-failed',
    `the secret ${path} could not be written in the container: exit code ${exitCode ?? 'unknown'}`,
    { suggestions: ['see that the image to build in has /bin/sh, sleep, cat and mv'], facts: { path, exitCode } },
  );
}

/** Milliseconds between two checks of an exec, while its connection is open and after it has closed. */
const looks = { open: 250, closed: 20 };

/**
 * Sends the value and waits for the exec to end. Its streams may close a moment before the engine reports the end. Some
 * engines never close them when the exec ends without having read everything. The exit code explains a broken
 * connection.
 */
async function pour(
  socket: Duplex,
  value: Uint8Array,
  signal: AbortSignal,
  inspect: () => Promise<unknown>,
): Promise<number | undefined> {
  const closed = new Promise<'closed'>((resolve) => {
    const end = () => resolve('closed');
    addAbortSignal(signal, socket).once('error', end).once('close', end).resume();
    socket.end(value);
  });
  try {
    let isClosed = false;
    for (let looked = 0; looked < 100; looked += isClosed ? 1 : 0) {
      isClosed ||= (await Promise.race([closed, sleep(looks.open)])) === 'closed';
      if (isClosed) await sleep(looked === 0 ? 0 : looks.closed);
      const state = await inspect();
      if (readField(state, 'Running') !== true) return readNumber(state, 'ExitCode');
      if (signal.aborted) break;
    }
    return undefined;
  } finally {
    socket.destroy();
  }
}
