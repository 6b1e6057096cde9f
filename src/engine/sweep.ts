import { messageOf } from '../errors.ts';
import { type Owner, ownerIsDead, ownerText, parseOwner } from '../fs/process-owner.ts';
import { readText, readTextMap } from './answer/json.ts';
import type { EngineClient } from './client/client.ts';
import { readAnswerList } from './client/failures.ts';
import { detachedRunsLabel, ownerLabel, runLabel } from './client/labels.ts';
import { removeContainer } from './container/container.ts';
import { listImages, removeImage } from './image/images.ts';
import { listNetworks, removeNetwork } from './service/networks.ts';
import { serviceLabel } from './service/service-engine.ts';
import { listThings, removeThing, type SwarmThing } from './swarm/swarm.ts';
import { listVolumes, removeVolume } from './volume/volumes.ts';

/** Names of removed objects, and those that could not be removed (`name: reason`): the next sweep tries again. */
export interface SweepReport {
  containers: string[];
  images: string[];
  volumes: string[];
  networks: string[];
  /** Services of a swarm that the engine manages. */
  services: string[];
  secrets: string[];
  kept: string[];
}

/** Engine to sweep, and whether it manages a swarm, which is then swept too. */
export interface Swept {
  client: EngineClient;
  isManager: boolean;
}

const stagingRepository = 'gbuild-staging';

/** Returns the name of an image in the making. It contains the owner, so that a sweep can judge the image. */
export function stagingReference(owner: Owner, name: string): string {
  return `${stagingRepository}:${`${ownerText(owner)}.${name}`.slice(0, 128)}`;
}

/** Record of runs that can be attached again, although their process is dead. */
export interface DetachedRuns {
  /** Single word; every record has another one. */
  name: string;
  runs(): ReadonlySet<string>;
}

/**
 * Removes containers, run volumes and staging images whose owner is surely dead. Caches, other users' objects and
 * detached runs stay.
 */
export function sweepDead(
  engine: Swept,
  self: Owner,
  detachedRuns: DetachedRuns,
  options: { networks?: boolean },
): Promise<SweepReport> {
  return removeOwned(engine, abandonedTest(self, detachedRuns), (tag) => isDead(tag.split('.')[0], self), options);
}

/**
 * Returns a test whether an object with these labels is abandoned: its owner is dead, and its run cannot be attached
 * again.
 */
export function abandonedTest(self: Owner, detachedRuns: DetachedRuns): (labels: Record<string, string>) => boolean {
  const runs = detachedRuns.runs();
  return (labels) => isDead(labels[ownerLabel], self) && !isKept(labels, detachedRuns.name, runs);
}

function isKept(labels: Record<string, string>, detachedRuns: string, runs: ReadonlySet<string>): boolean {
  const kept = labels[detachedRunsLabel];
  return kept !== undefined && (kept !== detachedRuns || runs.has(labels[runLabel] ?? ''));
}

/** Removes what one run of this process made, dead or not. */
export function removeRun(engine: Swept, runId: string, self: Owner): Promise<SweepReport> {
  const own = stagingReference(self, '').slice(stagingRepository.length + 1);
  return removeOwned(
    engine,
    (labels) => labels[runLabel] === runId,
    (tag) => tag.startsWith(own),
    { networks: true },
  );
}

async function removeOwned(
  { client, isManager }: Swept,
  isOurs: (labels: Record<string, string>) => boolean,
  isOurTag: (tag: string) => boolean,
  options: { networks?: boolean },
): Promise<SweepReport> {
  const kept: string[] = [];
  const removeAll = async (names: string[], remove: (name: string) => Promise<void>): Promise<string[]> => {
    const results = await Promise.allSettled(names.map(remove));
    return names.filter((name, index) => {
      const result = results[index];
      if (result?.status === 'rejected') kept.push(`${name}: ${messageOf(result.reason)}`);
      return result?.status === 'fulfilled';
    });
  };
  const things = isManager ? (await listThings(client, runLabel)).filter(({ labels }) => isOurs(labels)) : [];
  const removeKind = async (kind: SwarmThing['kind']) => {
    const ids = new Map(things.filter((thing) => thing.kind === kind).map(({ name, id }) => [name, id]));
    return removeAll([...ids.keys()], (name) => removeThing(client, { kind, name, id: ids.get(name)! }));
  };
  const services = await removeKind('services');
  const secrets = await removeKind('secrets');
  const ours = (await listContainers(client)).filter(({ labels }) => isOurs(labels));
  const ids = ours.map(({ id }) => id);
  const containers = await removeAll(ids, (id) => removeContainer(client, id, { lost: false, kill: true }));
  const images = await removeAll(await findStagingTags(client, isOurTag), (tag) => removeImage(client, tag));
  const volumes = await removeAll(await findRunVolumes(client, isOurs), (name) => removeVolume(client, name));
  const hadServices = ours.some(({ labels }) => serviceLabel in labels);
  const left = hadServices || options.networks ? await findRunNetworks(client, isOurs) : [];
  const networks = await removeAll(left, (name) => removeNetwork(client, name));
  return { containers, images, volumes, networks, services, secrets, kept };
}

async function findRunNetworks(
  client: EngineClient,
  isOurs: (labels: Record<string, string>) => boolean,
): Promise<string[]> {
  const networks = await listNetworks(client, runLabel);
  return networks.filter(({ labels }) => isOurs(labels)).map(({ name }) => name);
}

async function findStagingTags(client: EngineClient, isOurTag: (tag: string) => boolean): Promise<string[]> {
  const images = await listImages(client, { reference: `${stagingRepository}:*` });
  const tags = images.flatMap((image) => image.tags).filter((tag) => stagingTag(tag) !== undefined);
  return tags.filter((tag) => isOurTag(stagingTag(tag) ?? ''));
}

function stagingTag(reference: string): string | undefined {
  return /^gbuild-staging:(.+)$/.exec(reference)?.[1];
}

/** Finds volumes of one run by its label; caches have none. */
async function findRunVolumes(
  client: EngineClient,
  isOurs: (labels: Record<string, string>) => boolean,
): Promise<string[]> {
  const volumes = await listVolumes(client, runLabel);
  return volumes.filter(({ labels }) => isOurs(labels)).map(({ name }) => name);
}

async function listContainers(client: EngineClient): Promise<{ id: string; labels: Record<string, string> }[]> {
  const query = { all: true, filters: JSON.stringify({ label: [runLabel] }) };
  const { json } = await client.call({ what: 'list containers', method: 'GET', path: '/containers/json', query });
  return readAnswerList(client, json, 'list containers').map((each) => ({
    id: readText(each, 'Id') ?? '',
    labels: readTextMap(each, 'Labels'),
  }));
}

function isDead(text: string | undefined, self: Owner): boolean {
  const owner = text === undefined ? undefined : parseOwner(text);
  return owner !== undefined && ownerIsDead(owner, self);
}
