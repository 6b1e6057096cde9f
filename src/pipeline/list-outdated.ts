import type { Engine } from '../engine/engine.ts';
import type { Stop } from '../host.ts';
import type { Layout } from '../oci/layout.ts';
import type { Progress } from '../reporter/progress.ts';
import { describeChanges, readPackages } from '../toolchain/contents.ts';
import { readBasePackages } from './base-packages.ts';
import { findWorkspace } from './find-workspace.ts';
import { findImage, openStore } from './release-store.ts';
import { splitRelease } from './split-release.ts';
import { listStored, type StoredRelease } from './stored-releases.ts';
import { findTodaysBase, standsOn, type TodaysBase } from './todays-base.ts';
import type { Places, WorkspaceSession } from './workspace-session.ts';

export interface OutdatedRequest extends Places {
  /** Undefined: of the repository around the caller, or where there is none of every name. */
  name: string | undefined;
  /** Every release, not the newest of each name alone. */
  all: boolean;
  engine: Engine;
  progress: Progress;
  stop: Stop;
}

/** A release and its base. */
export interface BaseState {
  reference: string;
  base: string;
  /** `unknown`: neither a lock nor the engine has a base of today. */
  state: 'current' | 'outdated' | 'unknown';
  /** What it would stand on today. */
  today?: string;
  /** Debian packages that differ: `openssl 3.0.15-1 -> 3.0.16-1`. */
  changes?: string[];
}

/** The story of `gbuild outdated`: what the store's releases stand on, beside what the lock or the engine has today. */
export async function listOutdated(request: OutdatedRequest): Promise<BaseState[]> {
  const { name, all, host } = request;
  const store = await openStore(host);
  const session = await findWorkspace(request);
  const releases = await listStored(store, name ?? session?.spec.name);
  const chosen = all ? releases : releases.filter((each, index) => each.name !== releases[index - 1]?.name);
  const states: BaseState[] = [];
  for (const release of chosen) states.push(await judge(request, session, store, release));
  return states;
}

async function judge(
  request: OutdatedRequest,
  session: WorkspaceSession | undefined,
  store: Layout,
  release: StoredRelease,
): Promise<BaseState> {
  const line = { reference: release.reference, base: release.base?.name ?? '' };
  const today = await findTodaysBase(release, { session, engine: request.engine });
  const isCurrent = today && (await standsOn(release, today, store));
  if (today === undefined || isCurrent === undefined) return { ...line, state: 'unknown' };
  if (isCurrent) return { ...line, state: 'current', today: today.reference };
  const [before, after] = [await readOldPackages(store, release), await readTodaysPackages(request, today)];
  const changes = before && after && describeChanges(before, after);
  return { ...line, state: 'outdated', today: today.reference, ...(changes && { changes }) };
}

async function readOldPackages(store: Layout, { reference }: StoredRelease) {
  const stored = await findImage(store, reference);
  if (stored === undefined) return undefined;
  // An image that cannot be taken apart is outdated all the same.
  const split = await splitRelease(reference, stored.config, store).catch(() => undefined);
  return split && readBasePackages(store, split.baseDiffIds);
}

async function readTodaysPackages(request: OutdatedRequest, { packages, engineId, diffIds }: TodaysBase) {
  if (packages !== undefined || diffIds === undefined) return packages;
  return readPackages(request, engineId);
}
