import { randomBytes } from 'node:crypto';
import { existsSync, rmdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GbuildError } from '../../errors.ts';
import { writeTar } from '../../oci/tar/tar.ts';
import { parseJson, readField, readNumber, readText, readTextMap } from '../answer/json.ts';
import { type EngineClient, messageIn } from '../client/client.ts';
import { EngineRefusalError, notUnderstood } from '../client/failures.ts';
import { answers } from '../client/heartbeat.ts';
import { imageMissing } from '../image/images.ts';
import { createVolume } from '../volume/volumes.ts';
import { EngineBlindError, showsTheSame } from './probe.ts';
import { type ContainerFile, type ContainerMount, type ContainerSpec, formatCreateBody } from './spec.ts';

/**
 * Creates a container (POST /containers/create) and returns its id.
 *
 * @throws GbuildError `image-missing`, `engine-blind` when the engine has no such host folder, `engine-failed`
 */
export async function createContainer(client: EngineClient, spec: ContainerSpec): Promise<string> {
  if (await client.isPodman()) await createVolumes(client, spec);
  const missing = listBinds(spec).filter(({ hostDir }) => !existsSync(hostDir));
  const { id, status, text } = await createWithInit(client, spec);
  if (id !== undefined && (await client.isPodman())) await verifyBinds(client, id, spec, missing);
  if (id !== undefined) return id;
  if (status === 404) throw imageMissing(client, spec.image);
  const folder = await findUnseenFolder(client, spec);
  if (folder !== undefined) throw new EngineBlindError(client.endpoint, folder, 'has no such folder');
  throw new EngineRefusalError(client.endpoint, create, status, messageIn(text));
}

/** Creates the volumes first for podman, which would make them without their labels. */
async function createVolumes(client: EngineClient, { mounts }: ContainerSpec): Promise<void> {
  const volumes = mounts.filter((mount) => mount.type === 'volume');
  await Promise.all(volumes.map(({ name, labels }) => labels && createVolume(client, name, labels)));
}

/** Creates without an init where podman's machine has none (catatonit): podman ships no init. */
async function createWithInit(client: EngineClient, spec: ContainerSpec): Promise<Created> {
  const created = await tryToCreate(client, spec);
  if (created.status !== 500 || !(await client.isPodman())) return created;
  return tryToCreate(client, { ...spec, init: false });
}

/** Verifies each bind, because podman creates a missing bind folder, empty. Comparing it with the caller's tells. */
async function verifyBinds(client: EngineClient, id: string, spec: ContainerSpec, missing: Bind[]): Promise<void> {
  try {
    for (const bind of listBinds(spec)) {
      if (missing.includes(bind)) throw new EngineBlindError(client.endpoint, bind.hostDir, 'has no such folder');
      if (!(await showsTheSame(client, id, bind)))
        throw new EngineBlindError(client.endpoint, bind.hostDir, 'sees something else there');
    }
  } catch (thrown) {
    await removeContainer(client, id, { lost: false });
    for (const { hostDir } of missing) removeIfEmpty(hostDir);
    throw thrown;
  }
}

type Bind = Extract<ContainerMount, { type: 'bind' }>;

function listBinds(spec: ContainerSpec): Bind[] {
  return spec.mounts.filter((mount) => mount.type === 'bind');
}

function removeIfEmpty(hostDir: string): void {
  try {
    rmdirSync(hostDir);
  } catch {
    // The folder is on another machine, or somebody uses it.
  }
}

const create = 'create a container';

interface Created {
  /** Missing where the engine answered with an error. */
  id?: string;
  status: number;
  text: string;
}

async function tryToCreate(client: EngineClient, spec: ContainerSpec): Promise<Created> {
  const json = formatCreateBody(spec);
  // The name finds the container even where the answer with its id is lost.
  const name = spec.name ?? `gbuild-${randomBytes(6).toString('hex')}`;
  try {
    const request = { what: create, method: 'POST', path: '/containers/create', query: { name }, json } as const;
    // Some engines copy files of the image before they answer.
    const answer = await client.send({ ...request, within: 1.5 * client.requestTimeout });
    const status = answer.statusCode ?? 0;
    const text = await client.readText(answer, create);
    if (status !== 201) {
      // A failing engine may have made the container all the same.
      if (status < 400 || status >= 500) await removeUnanswered(client, name, spec.labels, 1).catch(() => {});
      return { status, text };
    }
    const id = readText(parseJson(text), 'Id');
    if (!id) throw notUnderstood(client.endpoint, create);
    return { status, text, id };
  } catch (thrown) {
    await removeUnanswered(client, name, spec.labels, mostLooks).catch(() => {
      // The first error takes precedence; the labels let a later sweep remove the container.
    });
    throw thrown;
  }
}

/**
 * Number of checks whether an engine without an answer has made the container after all, and milliseconds between them.
 */
const mostLooks = 3;
const lookPause = 250;

/**
 * Removes a container of this name that was made without an answer. The labels must match, because another container
 * may have the name.
 */
async function removeUnanswered(
  client: EngineClient,
  name: string,
  labels: Record<string, string>,
  looks: number,
): Promise<void> {
  if (client.isSilent && !(await answers(client, client.heartbeat.deadline))) return;
  const within = secondChance(client);
  const request = { what: 'look for a container', method: 'GET', path: `/containers/${name}/json`, within } as const;
  for (let looked = 0; looked < looks; looked += 1) {
    if (looked > 0) await sleep(lookPause);
    const { status, json } = await client.call(request, [200, 404]);
    if (status === 404) continue;
    const found = readTextMap(readField(json, 'Config'), 'Labels');
    const isOurs = Object.entries(labels).every(([key, value]) => found[key] === value);
    return isOurs ? await removeContainer(client, readText(json, 'Id') ?? name, { lost: true }) : undefined;
  }
}

/**
 * Finds the bind whose host folder made the engine refuse, by trying without each. The status (400) is the same for any
 * mistake, and a message is no contract.
 */
async function findUnseenFolder(client: EngineClient, spec: ContainerSpec): Promise<string | undefined> {
  const binds = listBinds(spec);
  const { name: _, ...nameless } = spec;
  const bare = { ...nameless, mounts: [], command: ['true'] };
  if (binds.length === 0 || !(await canCreate(client, bare))) return undefined;
  for (const bind of binds) if (!(await canCreate(client, { ...bare, mounts: [bind] }))) return bind.hostDir;
  return undefined;
}

async function canCreate(client: EngineClient, spec: ContainerSpec): Promise<boolean> {
  const { id } = await createWithInit(client, spec);
  if (id === undefined) return false;
  await removeContainer(client, id, { lost: false });
  return true;
}

/** Copies files into the container (PUT /containers/{id}/archive): all as one tar, ids kept, through volumes too. */
export async function putFiles(
  client: EngineClient,
  id: string,
  files: ContainerFile[],
  signal: AbortSignal,
): Promise<void> {
  if (files.length === 0) return;
  const items = files.map(({ path, type, mode, uid, gid, content }) => {
    const header = { path: path.replace(/^\//, ''), type, mode, uid, gid, mtime: 0, size: content?.length ?? 0 };
    return { header, ...(content !== undefined && { content: { bytes: content, size: content.length } }) };
  });
  await client.call({
    what: 'put files into the container',
    method: 'PUT',
    path: `/containers/${id}/archive`,
    query: { path: '/', noOverwriteDirNonDir: true },
    body: Readable.from(writeTar(items)),
    signal,
  });
}

export interface ContainerState {
  exitCode: number;
  oomKilled: boolean;
  running: boolean;
  /** False for a container that was only created. */
  started: boolean;
}

/** Reads the container's state (GET /containers/{id}/json). */
export async function inspectState(client: EngineClient, id: string, signal?: AbortSignal): Promise<ContainerState> {
  const what = 'inspect the container';
  const request = { what, method: 'GET', path: `/containers/${id}/json` } as const;
  const { json } = await client.call({ ...request, ...(signal && { signal }) });
  const state = readField(json, 'State');
  if (typeof readField(state, 'Running') !== 'boolean') throw notUnderstood(client.endpoint, what);
  return {
    exitCode: readNumber(state, 'ExitCode') ?? 0,
    oomKilled: readField(state, 'OOMKilled') === true,
    running: readField(state, 'Running') === true,
    started: readText(state, 'Status') !== 'created',
  };
}

const attempts = 20;

/**
 * Removes a container (DELETE /containers/{id}?force&v) and returns when it is gone. An engine that is already removing
 * it (409) or has a busy file of it (500) is asked again for some seconds. An engine that was `lost` and still does not
 * answer gets a single, short chance. `kill` is for a container that may still run: podman would first ask it to stop,
 * and wait.
 */
export async function removeContainer(
  client: EngineClient,
  id: string,
  options: { lost: boolean; kill?: boolean },
): Promise<void> {
  const what = `remove the container ${id.slice(0, 12)}`;
  const path = `/containers/${id}`;
  const query = { force: true, v: true };
  // One request without an answer proves little: the engine may serve all others, and be slow with this container.
  const isDoubtful = options.lost || client.isSilent;
  const isAlive = !isDoubtful || (await answers(client, client.heartbeat.deadline));
  const within = !isAlive ? Math.min(5_000, client.heartbeat.deadline) : isDoubtful ? secondChance(client) : undefined;
  if (options.kill && isAlive)
    await killContainer(client, id, within).catch(() => {
      // The removal kills the container too, and reports a lost engine.
    });
  for (let attempt = 1; ; attempt += 1) {
    const answer = await client.send({ what, method: 'DELETE', path, query, ...(within && { within }) });
    const text = await client.readText(answer, what, within);
    const status = answer.statusCode ?? 0;
    if (status === 204 || status === 404) return;
    if (!isAlive || attempt === attempts) throw leftBehind(client, id, status, messageIn(text));
    await sleep(250);
  }
}

/** Returns the milliseconds for a living engine that has just left a request without an answer. */
function secondChance(client: EngineClient): number {
  return Math.max(5_000, client.requestTimeout / 4);
}

/**
 * Kills a container (POST /containers/{id}/kill). It fails where the container does not run; the removal that follows
 * is then enough.
 */
async function killContainer(client: EngineClient, id: string, within?: number): Promise<void> {
  const request = { what: 'kill the container', method: 'POST', path: `/containers/${id}/kill` } as const;
  await client.call({ ...request, ...(within && { within }) }, [204, 404, 409, 500]);
}

function leftBehind(client: EngineClient, id: string, status: number, reason: string): GbuildError {
  return new GbuildError(
    'engine-failed',
    `the engine at ${client.endpoint.url} did not remove the container ${id}: ${reason} (HTTP ${status})`,
    {
      suggestions: [`docker rm --force --volumes ${id.slice(0, 12)}`, 'gbuild clean'],
      facts: { endpoint: client.endpoint.url, container: id, status },
    },
  );
}
