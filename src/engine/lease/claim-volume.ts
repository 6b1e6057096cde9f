import { GbuildError } from '../../errors.ts';
import { readText, readTextMap, readTexts } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { EngineRefusalError, readAnswerList } from '../client/failures.ts';
import { runLabel } from '../client/labels.ts';
import { removeContainer } from '../container/container.ts';
import type { LeaseSpec } from './lease-container.ts';
import { VolumeLease } from './volume-lease.ts';

const mostVolumes = 50;

/**
 * Claims the volume of that name. Where another live run works on it, claims the next one (`name-2`, `name-3`): no run
 * waits, and two runs never share one. Leases of dead runs, running or not, are removed first.
 *
 * @throws GbuildError `engine-failed`
 */
export async function claimVolume(
  client: EngineClient,
  spec: LeaseSpec,
  isAbandoned: (labels: Record<string, string>) => boolean,
  signal: AbortSignal,
): Promise<VolumeLease> {
  for (let number = 1; number <= mostVolumes; number += 1) {
    const name = number === 1 ? spec.name : `${spec.name}-${number}`;
    signal.throwIfAborted();
    if (await isInUse(client, name, isAbandoned)) continue;
    try {
      return await VolumeLease.create(client, { ...spec, name });
    } catch (thrown) {
      if (!isTaken(thrown)) throw thrown;
    }
  }
  throw new GbuildError('engine-failed', `${mostVolumes} runs work on ${spec.name} at once`, {
    suggestions: ['gbuild clean', 'wait for some of them to end'],
    facts: { volume: spec.name },
  });
}

/** Whether another run was faster. It may not be listed yet: the engine reserves a name when it is requested. */
function isTaken(thrown: unknown): boolean {
  return thrown instanceof EngineRefusalError && thrown.status === 409;
}

/** Whether containers use the volume; abandoned ones are removed. */
async function isInUse(
  client: EngineClient,
  volume: string,
  isAbandoned: (labels: Record<string, string>) => boolean,
): Promise<boolean> {
  let inUse = false;
  for (const { id, labels } of await listUsers(client, volume)) {
    if (isAbandoned(labels)) await removeContainer(client, id, { lost: false, kill: true });
    else inUse = true;
  }
  return inUse;
}

/**
 * Reacquires the same volume after a run lost its connection, and with it its lease. Removes the rest of the old lease.
 *
 * @throws GbuildError `engine-failed`, also where the volume is gone, or another run has claimed it meanwhile
 */
export async function reacquireLease(client: EngineClient, spec: LeaseSpec, runId: string): Promise<VolumeLease> {
  await assertVolume(client, spec.name);
  for (const { id, labels, names } of await listUsers(client, spec.name))
    if (labels[runLabel] === runId && names.includes(`/${spec.name}`))
      await removeContainer(client, id, { lost: false, kill: true });
  return VolumeLease.create(client, spec);
}

/** Asserts that the volume exists: a new container would create it again, empty. */
async function assertVolume(client: EngineClient, name: string): Promise<void> {
  const what = `look for the volume ${name}`;
  const { status } = await client.call({ what, method: 'GET', path: `/volumes/${name}` }, [200, 404]);
  if (status === 200) return;
  throw new GbuildError('engine-failed', `the engine at ${client.endpoint.url} has no volume ${name} any more`, {
    suggestions: ['gbuild test   # sends the workspace again'],
    facts: { endpoint: client.endpoint.url, volume: name },
  });
}

interface User {
  id: string;
  names: string[];
  labels: Record<string, string>;
}

async function listUsers(client: EngineClient, volume: string): Promise<User[]> {
  const query = { all: true, filters: JSON.stringify({ volume: [volume] }) };
  const { json } = await client.call({ what: 'list containers', method: 'GET', path: '/containers/json', query });
  return readAnswerList(client, json, 'list containers').map((each) => {
    return { id: readText(each, 'Id') ?? '', names: readTexts(each, 'Names'), labels: readTextMap(each, 'Labels') };
  });
}
