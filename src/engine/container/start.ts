import { GbuildError } from '../../errors.ts';
import { type EngineClient, messageIn } from '../client/client.ts';
import { EngineRefusalError } from '../client/failures.ts';
import { createContainer, inspectState, removeContainer } from './container.ts';
import type { ContainerPort } from './ports.ts';
import { bareContainer, type ContainerSpec } from './spec.ts';

/** Command that could not be executed, which is the caller's mistake. */
export interface FailedStart {
  exitCode: 126 | 127;
  /** Reason in the engine's words. */
  startError: string;
}

/**
 * Starts a container (POST /containers/{id}/start); undefined when it runs.
 *
 * @throws GbuildError `port-refused` for a port that the engine cannot publish, `engine-failed`
 */
export async function startContainer(
  client: EngineClient,
  id: string,
  spec: ContainerSpec,
  signal: AbortSignal,
): Promise<FailedStart | undefined> {
  const { status, message } = await tryToStart(client, id, signal);
  if (status === 204) return undefined;
  const { exitCode } = await inspectState(client, id);
  if (exitCode === 126 || exitCode === 127) return { exitCode, startError: message };
  throw await explainRefusal(
    client,
    spec,
    new EngineRefusalError(client.endpoint, 'start the container', status, message),
    signal,
  );
}

/**
 * Explains a start that the engine refused because of a port, with an error that names it. podman opens ports on
 * attach.
 */
export async function explainRefusal(
  client: EngineClient,
  spec: ContainerSpec,
  thrown: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(thrown instanceof EngineRefusalError)) return thrown;
  const port = await findRefusedPort(client, spec, signal);
  return port === undefined ? thrown : portRefused(client, port, thrown);
}

async function tryToStart(
  client: EngineClient,
  id: string,
  signal: AbortSignal,
): Promise<{ status: number; message: string }> {
  const what = 'start the container';
  const within = 1.5 * client.requestTimeout;
  const answer = await client.send({ what, method: 'POST', path: `/containers/${id}/start`, signal, within });
  const text = await client.readText(answer, what);
  return { status: answer.statusCode ?? 0, message: messageIn(text) };
}

/**
 * Finds the port that made the engine refuse: publishing it alone fails too. Each is tried, because a message is no
 * contract.
 */
async function findRefusedPort(
  client: EngineClient,
  { image, labels, network, ports = [] }: ContainerSpec,
  signal: AbortSignal,
): Promise<ContainerPort | undefined> {
  for (const port of ports.filter(({ enginePort }) => enginePort !== undefined)) {
    const bare = { ...bareContainer(image, ['true']), entrypoint: [''], labels, network, ports: [port] };
    const id = await createContainer(client, bare);
    try {
      if ((await tryToStart(client, id, signal)).status !== 204) return port;
    } finally {
      await removeContainer(client, id, { lost: false, kill: true });
    }
  }
  return undefined;
}

function portRefused(
  client: EngineClient,
  { port, protocol, enginePort = port }: ContainerPort,
  cause: GbuildError,
): GbuildError {
  const ending = protocol === 'udp' ? '/udp' : '';
  const why = enginePort < 1024 ? 'it is taken, or one of those below 1024 that only root may have' : 'it is taken';
  return new GbuildError('port-refused', `port ${enginePort} cannot be published, ${why}: ${cause.message}`, {
    suggestions: [
      `publish ${port}${ending} instead of ${enginePort}:${port}${ending}   # the engine chooses a free one`,
      'docker ps   # which container has it?',
    ],
    cause,
    facts: { endpoint: client.endpoint.url, port, protocol, enginePort },
  });
}
