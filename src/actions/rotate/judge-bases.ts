import type { Layout } from '../../oci/layout/layout.ts';
import type { ImageConfig } from '../../oci/spec.ts';
import type { Repository } from '../../registry/repository.ts';
import type { SentLayers } from '../release/push/reusable-layers.ts';
import { type CurrentBase, findCurrentBase, standsOn } from '../release/rebase/current-base.ts';
import { splitRelease } from '../release/rebase/split-release.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { findRelease } from '../store/find-release.ts';
import { listRemote } from '../store/remote-releases.ts';
import { compareReleases, describeRelease, listStored, type Release } from '../store/stored-releases.ts';
import type { RotateRequest } from './request.ts';

/** Place of the releases of one name. */
export interface RotateScene {
  request: RotateRequest;
  name: string;
  session: WorkspaceSession | undefined;
  store: Layout;
  repository: Repository | undefined;
  /** Layers that the pushes of this command have sent. */
  sentLayers: SentLayers;
}

/** Base of a release, compared with the one of today. */
export interface JudgedRelease {
  release: Release;
  state: 'current' | 'young' | 'unknown' | 'due';
  today?: CurrentBase;
}

/** Compares the base of a release with today's. An image of an index counts as outdated where its base is. */
export async function judgeBase(scene: RotateScene, version: string): Promise<JudgedRelease | undefined> {
  const { request, name, session, store, repository } = scene;
  const found = await findRelease({ name, version, store, repository });
  const image = found?.images[0];
  if (image === undefined) return undefined;
  const release = describeRelease(name, version, image.manifest.config.digest, image.config);
  const today = await findCurrentBase(release, { session, engine: request.engine });
  const isCurrent = today && (await standsOn(release, today, store));
  if (today === undefined || isCurrent === undefined) return { release, state: 'unknown' };
  if (isCurrent) return { release, state: 'current', today };
  const isYoung = await isYounger(scene, release, image.config);
  return { release, state: isYoung ? 'young' : 'due', today };
}

const firstPlausibleTime = Date.UTC(1990, 0, 1);

/**
 * Whether the base was made less than the asked seconds ago, by the history of its uppermost layer. A base whose time is a
 * constant counts as old: nothing says that it is young.
 */
async function isYounger(
  { request, store }: RotateScene,
  { reference }: Release,
  config: ImageConfig,
): Promise<boolean> {
  const { baseOlderThan, host } = request;
  if (baseOlderThan === undefined) return false;
  const { baseDiffIds } = await splitRelease(reference, config, store);
  const layers = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  const made = Date.parse(layers[baseDiffIds.length - 1]?.created ?? '');
  return made >= firstPlausibleTime && host.startedAt - made < baseOlderThan * 1000;
}

/** Lists the releases of the name, here and in the registry, the newest first. */
export async function listAll({ name, store, repository }: RotateScene): Promise<Release[]> {
  const stored: Release[] = await listStored(store, name);
  const remote = repository === undefined ? [] : await listRemote(repository, name);
  const known = new Set(stored.map(({ reference }) => reference));
  return [...stored, ...remote.filter(({ reference }) => !known.has(reference))].sort(compareReleases);
}

/** Finds the release on today's base that an earlier rotation made of this one. */
export async function findSuccessor(
  { store }: RotateScene,
  { reference, imageId }: Release,
  today: CurrentBase,
  all: readonly Release[],
): Promise<Release | undefined> {
  for (const each of all)
    if (each.rebasedFrom === `${reference}@${imageId}` && (await standsOn(each, today, store))) return each;
  return undefined;
}
