import { finished } from 'node:stream/promises';
import { GbuildError } from '../errors.ts';
import type { ContainerSecret } from './container-spec.ts';
import { readField, readNumber, readText } from './json.ts';
import type { Wire } from './wire.ts';

const what = 'hand a secret to the container';

/** Written beside and renamed, so that the waiting command never sees half a value. */
const script = 'umask 377 && cat >"$1.part" && mv "$1.part" "$1"';

/**
 * Gives a started container its secrets, each over the standard input of an exec: so it works alike on an engine of this
 * machine and on a remote one, and neither the container's description nor any disk ever has a value.
 */
export async function putSecrets(
  wire: Wire,
  id: string,
  secrets: ContainerSecret[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(secrets.map((secret) => putSecret(wire, id, secret, signal)));
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
  try {
    socket.end(value);
    socket.resume();
    await finished(socket, { signal });
  } finally {
    socket.destroy();
  }
  const state = await wire.call({ what, method: 'GET', path: `/exec/${exec}/json`, signal });
  const exitCode = readNumber(state.json, 'ExitCode');
  if (exitCode === 0 && readField(state.json, 'Running') !== true) return;
  throw new GbuildError(
    'engine-failed',
    `the secret ${path} could not be written in the container: exit code ${exitCode ?? 'unknown'}`,
    { suggestions: ['see that the image to build in has /bin/sh, sleep, cat and mv'], facts: { path, exitCode } },
  );
}
