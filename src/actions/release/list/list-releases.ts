import type { Engine } from '../../../engine/engine.ts';
import type { AppContext, WorkspaceSession } from '../../session/context.ts';
import { findWorkspace } from '../../session/find-workspace.ts';
import { type RegistryRequest, withNamedRegistry } from '../../session/named-registry.ts';
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
  const merged = await withNamedRegistry(request, session, async (named) => {
    const lists = named === undefined ? [] : names.map((path) => listRemote(named.open(path), path));
    return mergeReleases(stored, (await Promise.all(lists)).flat(), named?.registry ?? '');
  });
  for (const reference of new Set(merged.flatMap((line) => (line.conflicts ? [line.reference] : []))))
    request.progress.warn(
      `${reference} is not the same image everywhere: somebody moved it, and a release never moves`,
    );
  const judge = judgeBases(request, session, store);
  return Promise.all(merged.map(async ({ diffIds, ...line }) => ({ ...line, ...(await judge({ diffIds, ...line })) })));
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
