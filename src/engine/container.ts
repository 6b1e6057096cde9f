import { Readable } from 'node:stream';
import { GbuildError } from '../errors.ts';
import { writeTar } from '../oci/tar.ts';
import { type ContainerFile, type ContainerSpec, formatCreateBody } from './container-spec.ts';
import { refused } from './failures.ts';
import { imageMissing } from './images.ts';
import { readField, readNumber, readText } from './json.ts';
import { blindEngine } from './probe.ts';
import { messageIn, patience, type Wire } from './wire.ts';

/**
 * POST /containers/create; the id.
 *
 * @throws GbuildError `image-missing`, `engine-blind` when the engine has no such host folder, `engine-failed`
 */
export async function createContainer(wire: Wire, spec: ContainerSpec): Promise<string> {
  const { id, status, text } = await tryToCreate(wire, spec);
  if (id !== undefined) return id;
  if (status === 404) throw imageMissing(wire, spec.image);
  const folder = await findUnseenFolder(wire, spec);
  if (folder !== undefined) throw blindEngine(wire, folder, 'has no such folder');
  throw refused(wire.endpoint, create, status, messageIn(text));
}

const create = 'create a container';

/** The id, or what the engine answered instead. */
async function tryToCreate(wire: Wire, spec: ContainerSpec): Promise<{ id?: string; status: number; text: string }> {
  const json = formatCreateBody(spec);
  const query = { name: spec.name };
  const request = {
    what: create,
    method: 'POST',
    path: '/containers/create',
    query,
    json,
    signal: patience(),
  } as const;
  const answer = await wire.send(request);
  const status = answer.statusCode ?? 0;
  const text = await wire.readText(answer, create);
  return { status, text, ...(status === 201 && { id: readText(JSON.parse(text), 'Id') ?? '' }) };
}

/**
 * Which bind's host folder made the engine refuse: the one without which it agrees. Tried, because the status (400) is the
 * same for any mistake and a message is no contract.
 */
async function findUnseenFolder(wire: Wire, spec: ContainerSpec): Promise<string | undefined> {
  const binds = spec.mounts.filter((mount) => mount.type === 'bind');
  const { name: _, ...nameless } = spec;
  const bare = { ...nameless, mounts: [], command: ['true'] };
  if (binds.length === 0 || !(await canCreate(wire, bare))) return undefined;
  for (const bind of binds) if (!(await canCreate(wire, { ...bare, mounts: [bind] }))) return bind.hostDir;
  return undefined;
}

async function canCreate(wire: Wire, spec: ContainerSpec): Promise<boolean> {
  const { id } = await tryToCreate(wire, spec);
  if (id === undefined) return false;
  await removeContainer(wire, id, { lost: false });
  return true;
}

/** PUT /containers/{id}/archive: all files as one tar, ids kept, through volumes too. */
export async function putFiles(wire: Wire, id: string, files: ContainerFile[], signal: AbortSignal): Promise<void> {
  if (files.length === 0) return;
  const items = files.map(({ path, type, mode, uid, gid, content }) => {
    const header = { path: path.replace(/^\//, ''), type, mode, uid, gid, mtime: 0, size: content?.length ?? 0 };
    return { header, ...(content !== undefined && { content: { bytes: content, size: content.length } }) };
  });
  await wire.call({
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
  /** False of one that was created and no more. */
  started: boolean;
}

/** GET /containers/{id}/json, the state alone. */
export async function inspectState(wire: Wire, id: string): Promise<ContainerState> {
  const { json } = await wire.call({ what: 'inspect the container', method: 'GET', path: `/containers/${id}/json` });
  const state = readField(json, 'State');
  return {
    exitCode: readNumber(state, 'ExitCode') ?? 0,
    oomKilled: readField(state, 'OOMKilled') === true,
    running: readField(state, 'Running') === true,
    started: readText(state, 'Status') !== 'created',
  };
}

const attempts = 20;

/**
 * DELETE /containers/{id}?force&v and comes back when it is gone. An engine that is already removing it (409) or has a
 * file of it still busy (500) is asked again for some seconds; one that was `lost` gets a single, short chance.
 */
export async function removeContainer(wire: Wire, id: string, options: { lost: boolean }): Promise<void> {
  const what = `remove the container ${id.slice(0, 12)}`;
  const path = `/containers/${id}`;
  for (let attempt = 1; ; attempt += 1) {
    const signal = options.lost ? AbortSignal.timeout(Math.min(5_000, wire.heartbeat.deadline)) : patience();
    const answer = await wire.send({ what, method: 'DELETE', path, query: { force: true, v: true }, signal });
    const text = await wire.readText(answer, what);
    const status = answer.statusCode ?? 0;
    if (status === 204 || status === 404) return;
    if (options.lost || attempt === attempts) throw leftBehind(wire, id, status, messageIn(text));
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function leftBehind(wire: Wire, id: string, status: number, reason: string): GbuildError {
  return new GbuildError(
    'engine-failed',
    `the engine at ${wire.endpoint.url} did not remove the container ${id}: ${reason} (HTTP ${status})`,
    {
      suggestions: [`docker rm --force --volumes ${id.slice(0, 12)}`, 'gbuild clean'],
      facts: { endpoint: wire.endpoint.url, container: id, status },
    },
  );
}
