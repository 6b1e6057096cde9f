import type { Engine } from '../../../engine/engine.ts';
import { listPointers } from '../../channel/read-channel.ts';
import { RegistryReader } from '../../channel/registry-place.ts';
import { StorePlace } from '../../channel/store-place.ts';
import type { AppContext, WorkspaceSession } from '../../session/context.ts';
import { findWorkspace } from '../../session/find-workspace.ts';
import { type NamedRegistry, type RegistryRequest, withNamedRegistry } from '../../session/named-registry.ts';
import { listRemote } from '../../store/remote-releases.ts';
import { openStore } from '../../store/store.ts';
import { compareReleases, listStored, type Release } from '../../store/stored-releases.ts';
import { findCurrentBase, standsOn } from '../rebase/current-base.ts';

export interface ListRequest extends AppContext, RegistryRequest {
  /** Undefined for the caller's repository, or for every name outside of a repository. */
  name: string | undefined;
  /** Whether to list releases of every name. */
  all: boolean;
  engine: Engine;
}

/** Line of the list: one image under one version. An index has one line for each platform. */
export interface ListedRelease extends Omit<Release, 'diffIds' | 'base'> {
  base?: { name: string; digest: string; isTodays?: boolean };
  /** Places that have it: `store`, or the registry's HOST. */
  where: string[];
  /** Channels that point at it, in any of these places. */
  channels?: string[];
  /** Whether another place has another image under the same version, which must never happen. */
  conflicts?: true;
}

/**
 * Implements `gbuild releases`: lists the releases of the store and the registry together. An engine only tells which
 * bases are current.
 */
export async function listReleases(request: ListRequest): Promise<ListedRelease[]> {
  const store = await openStore(request.host);
  const session = await findWorkspace(request);
  const name = request.all ? undefined : (request.name ?? session?.spec.name);
  const stored = await listStored(store, name);
  const names = name === undefined ? [...new Set(stored.map((release) => release.name))] : [name];
  const { merged, findChannels } = await withNamedRegistry(request, session, async (named) => {
    const lists = named === undefined ? [] : names.map((path) => listRemote(named.open(path), path));
    const remote = (await Promise.all(lists)).flat();
    const findChannels = await readChannels(request, store, named, names);
    return { merged: mergeReleases(stored, remote, named?.registry ?? ''), findChannels };
  });
  for (const reference of new Set(merged.flatMap((line) => (line.conflicts ? [line.reference] : []))))
    request.progress.warn(
      `${reference} is not the same image everywhere: somebody moved it, and a release never moves`,
    );
  const judge = judgeBases(request, session, store);
  return Promise.all(
    merged.map(async ({ diffIds, ...line }) => {
      const channels = findChannels(line);
      return { ...line, ...(await judge({ diffIds, ...line })), ...(channels.length > 0 && { channels }) };
    }),
  );
}

/** Reads which channels point at each release. A channel that cannot be trusted is a warning. */
async function readChannels(
  { progress }: ListRequest,
  store: Awaited<ReturnType<typeof openStore>>,
  named: NamedRegistry | undefined,
  names: readonly string[],
): Promise<(release: Pick<Release, 'name' | 'version' | 'imageId'>) => string[]> {
  const found = new Map<string, Set<string>>();
  for (const name of names)
    for (const pointer of [
      ...(await listPointers(new StorePlace(store, name))),
      ...(named === undefined ? [] : await listPointers(openReader(named, name))),
    ]) {
      if ('broken' in pointer) progress.warn(pointer.broken);
      else
        for (const id of pointer.imageIds) {
          const key = `${name}:${pointer.version}@${id}`;
          found.set(key, (found.get(key) ?? new Set()).add(pointer.channel));
        }
    }
  return ({ name, version, imageId }) => [...(found.get(`${name}:${version}@${imageId}`) ?? [])].sort();
}

function openReader({ open, registry }: NamedRegistry, imageName: string): RegistryReader {
  return new RegistryReader(open(imageName), { imageName, flags: ` --name ${imageName} --registry ${registry}` });
}

/** Merges equal images of a version to one release in two places; different images are a conflict. Pure. */
function mergeReleases(stored: Release[], remote: Release[], registry: string) {
  const lines = new Map<string, Release & Pick<ListedRelease, 'where' | 'conflicts'>>();
  const images = new Map<string, Set<string>>();
  const add = (release: Release, where: string) => {
    const { name, version, reference, imageId, commit, created, base, rebasedFrom, platform, diffIds } = release;
    const key = `${reference}@${imageId}`;
    const line = lines.get(key) ?? {
      ...{ name, version, reference, imageId, platform, diffIds },
      ...(commit !== undefined && { commit }),
      ...(created !== undefined && { created }),
      ...(base !== undefined && { base }),
      ...(rebasedFrom !== undefined && { rebasedFrom }),
      where: [],
    };
    lines.set(key, { ...line, where: [...line.where, where] });
    const place = `${reference} ${platform}`;
    images.set(place, (images.get(place) ?? new Set()).add(imageId));
  };
  for (const release of stored) add(release, 'store');
  for (const release of remote) add(release, registry);
  return [...lines.values()]
    .map((line) =>
      (images.get(`${line.reference} ${line.platform}`)?.size ?? 0) > 1 ? { ...line, conflicts: true as const } : line,
    )
    .sort(compareReleases);
}

/**
 * Determines whether each release has the current base. Asks the engine once for each base; skips the answer where the
 * engine is away.
 */
function judgeBases(
  { engine }: ListRequest,
  session: WorkspaceSession | undefined,
  store: Awaited<ReturnType<typeof openStore>>,
) {
  const asked = new Map<string, ReturnType<typeof findCurrentBase>>();
  const find = (release: Release) => {
    const key = `${release.name} ${release.base?.name} ${release.platform}`;
    const answer = asked.get(key) ?? findCurrentBase(release, { session, engine }).catch(() => undefined);
    asked.set(key, answer);
    return answer;
  };
  return async (release: Release): Promise<Pick<ListedRelease, 'base'>> => {
    if (release.base === undefined) return {};
    const today = await find(release);
    const isTodays = today && (await standsOn(release, today, store));
    return { base: { ...release.base, ...(isTodays !== undefined && { isTodays }) } };
  };
}
