import { addAbortSignal } from 'node:stream';
import { GbuildError } from '../errors.ts';
import type { ContainerSecret } from './container-spec.ts';
import { readField, readNumber, readText } from './json.ts';
import type { Wire } from './wire.ts';

const what = 'hand a secret to the container';

/** Written beside and renamed, so that the waiting command never sees half a value. */
const script = 'umask 377 && cat >"$1.part" && mv "$1.part" "$1"';

/** How long a container may take to end after its engine would not take a secret, in milliseconds. */
const moment = 2_000;

/**
 * Gives a started container its secrets, each over the standard input of an exec: so it works alike on an engine of this
 * machine and on a remote one, and neither the container's description nor any disk ever has a value. Never fulfils, and
 * rejects only where the container lives on without them: a short command ends before the engine has said that they are there.
 */
export async function handOverSecrets(
  wire: Wire,
  id: string,
  secrets: ContainerSecret[],
  signal: AbortSignal,
): Promise<never> {
  try {
    await Promise.all(secrets.map((secret) => putSecret(wire, id, secret, signal)));
  } catch (error) {
    await new Promise((resolve) => setTimeout(resolve, moment).unref());
    throw error;
  }
  return new Promise(() => {});
}

async function putSecret(wire: Wire, id: string, { path, value }: ContainerSecret, signal: AbortSignal): Promise<void> {
  const streams = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false };
  const json = { ...streams, Cmd: ['/bin/sh', '-c', script, 'sh', path] };
  const made = await wire.call({ what, method: 'POST', path: `/containers/${id}/exec`, json, signal });
  const exec = readText(made.json, 'Id') ?? '';
  const start = {
    what,
    method: 'POST',
    path: `/exec/${exec}/start`,
    json: { Detach: false, Tty: false },
    signal,
  } as const;
  const socket = await wire.hijack(start);
  // What breaks the connection is told by the exit code, or by the engine when it is asked for it.
  await new Promise<void>((resolve) => {
    addAbortSignal(signal, socket).once('error', resolve).once('close', resolve).resume();
    socket.end(value);
  });
  socket.destroy();
  const exitCode = await readExitCode(wire, exec, signal);
  if (exitCode === 0) return;
  throw new GbuildError(
    'engine-failed',
    `the secret ${path} could not be written in the container: exit code ${exitCode ?? 'unknown'}`,
    { suggestions: ['see that the image to build in has /bin/sh, sleep, cat and mv'], facts: { path, exitCode } },
  );
}

/** The exec's streams may end a moment before the engine knows that it has ended. */
async function readExitCode(wire: Wire, exec: string, signal: AbortSignal): Promise<number | undefined> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { json } = await wire.call({ what, method: 'GET', path: `/exec/${exec}/json`, signal });
    if (readField(json, 'Running') !== true) return readNumber(json, 'ExitCode');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}
