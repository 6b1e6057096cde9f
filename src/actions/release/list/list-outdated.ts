import type { Engine } from '../../../engine/engine.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { describeChanges, readPackages } from '../../../toolchain/image/contents.ts';
import { readBasePackages } from '../../image/base/base-packages.ts';
import type { AppContext, WorkspaceSession } from '../../session/context.ts';
import { findWorkspace } from '../../session/find-workspace.ts';
import { type NamedRegistry, type RegistryRequest, withNamedRegistry } from '../../session/named-registry.ts';
import { findRelease, listReleaseImages } from '../../store/find-release.ts';
import { listRemote } from '../../store/remote-releases.ts';
import { openStore } from '../../store/store.ts';
import { compareReleases, listStored, type Release } from '../../store/stored-releases.ts';
import { type CurrentBase, findCurrentBase, standsOn } from '../rebase/current-base.ts';
import { splitRelease } from '../rebase/split-release.ts';

export interface OutdatedRequest extends AppContext, RegistryRequest {
  /** Undefined for the caller's repository, or for every name outside of a repository. */
  name: string | undefined;
  /** Whether to list every release, or only the newest of each name. */
  all: boolean;
  engine: Engine;
}

/** A release and its base. */
export interface BaseState {
  reference: string;
  /** Platform of the image, where the release is an index. */
  platform?: string;
  base: string;
  /** `unknown`: neither a lock nor the engine has a current base. */
  state: 'current' | 'outdated' | 'unknown';
  /** Base that the release would have if it were made today. */
  today?: string;
  /** Debian packages that differ, such as `openssl 3.0.15-1 -> 3.0.16-1`. */
  changes?: string[];
}

interface Scene {
  request: OutdatedRequest;
  session: WorkspaceSession | undefined;
  store: Layout;
  named: NamedRegistry | undefined;
}

/** Implements `gbuild outdated`: compares the bases of releases with those that the lock or the engine has today. */
export async function listOutdated(request: OutdatedRequest): Promise<BaseState[]> {
  const store = await openStore(request.host);
  const session = await findWorkspace(request);
  return withNamedRegistry(request, session, async (named) => {
    const states: BaseState[] = [];
    const scene = { request, session, store, named };
    const releases = await chooseReleases(scene);
    for (const release of releases) {
      const isIndexed = releases.some((other) => other !== release && other.reference === release.reference);
      states.push(await judge(scene, release, isIndexed));
    }
    return states;
  });
}

/** Chooses the store's releases, and those that only the registry has. */
async function chooseReleases({ request, session, store, named }: Scene): Promise<Release[]> {
  const name = request.name ?? session?.spec.name;
  const stored: Release[] = await listStored(store, name);
  const names = name === undefined ? [...new Set(stored.map((release) => release.name))] : [name];
  const lists = named === undefined ? [] : await Promise.all(names.map((path) => listRemote(named.open(path), path)));
  const known = new Set(stored.map(({ reference }) => reference));
  const all = [...stored, ...lists.flat().filter(({ reference }) => !known.has(reference))].sort(compareReleases);
  return request.all
    ? all
    : all.filter(({ name, version }) => all.find((each) => each.name === name)?.version === version);
}

async function judge(scene: Scene, release: Release, isIndexed: boolean): Promise<BaseState> {
  const { request, session, store } = scene;
  const { reference, platform } = release;
  const line = { reference, ...(isIndexed && { platform }), base: release.base?.name ?? '' };
  const today = await findCurrentBase(release, { session, engine: request.engine });
  const isCurrent = today && (await standsOn(release, today, store));
  if (today === undefined || isCurrent === undefined) return { ...line, state: 'unknown' };
  if (isCurrent) return { ...line, state: 'current', today: today.reference };
  const [before, after] = [await readOldPackages(scene, release), await readCurrentPackages(request, today)];
  const changes = before && after && describeChanges(before, after);
  return { ...line, state: 'outdated', today: today.reference, ...(changes && { changes }) };
}

async function readOldPackages(scene: Scene, release: Release): Promise<Record<string, string> | undefined> {
  const { store, named } = scene;
  const { name, version, reference, imageId } = release;
  const found = await findRelease({ name, version, store, repository: named?.open(name) });
  const image = found && listReleaseImages(found).find(({ manifest }) => manifest.config.digest === imageId);
  if (image === undefined) return undefined;
  // An image that cannot be split is outdated all the same.
  const split = await splitRelease(reference, image.config, store).catch(() => undefined);
  return split && readBasePackages(split.baseDiffIds, image.open);
}

async function readCurrentPackages(request: OutdatedRequest, { packages, engineId, diffIds }: CurrentBase) {
  if (packages !== undefined || diffIds === undefined) return packages;
  return readPackages(request, engineId);
}
