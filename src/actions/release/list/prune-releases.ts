import { GbuildError } from '../../../errors.ts';
import type { Host } from '../../../host.ts';
import { findGarbage, type Garbage, pruneLayout } from '../../../oci/layout/collect-garbage.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import type { Descriptor } from '../../../oci/spec.ts';
import { formatBytes } from '../../../reporter/format.ts';
import type { Progress } from '../../../reporter/progress.ts';
import { readHeld } from '../../channel/held-releases.ts';
import { openStore } from '../../store/store.ts';
import { isBase, readNamed, releaseNameOf } from '../../store/stored-releases.ts';
import { chooseRemovable, type PruneRules } from './prune-rules.ts';

export interface PruneRequest {
  host: Host;
  progress: Progress;
  rules: PruneRules;
  /** Undefined for every name. */
  name: string | undefined;
  /** 'ask' asks a person, where a terminal is attached; 'no' only lists the removable releases. */
  remove: 'yes' | 'no' | 'ask';
  /** Time in milliseconds, comparable with file times. */
  now: number;
}

export interface PruneReport {
  /** Names such as `name:version`. */
  releases: string[];
  /** Releases that only a channel keeps, with the channel. */
  held: { reference: string; channel: string }[];
  blobs: number;
  bytes: number;
  isDone: boolean;
}

/** Grace period: a run in progress has written or requested its blobs within it. */
const graceMs = 3_600_000;

/**
 * Implements `gbuild releases prune`: the rules choose, and a person agrees. Under the store's lock the rules choose
 * again, because a tag may have come meanwhile. A release that was not shown stays.
 */
export async function pruneReleases(request: PruneRequest): Promise<PruneReport> {
  const { host, now } = request;
  const store = await openStore(host);
  const before = now - graceMs;
  const { shown, held, expected } = await lookSteadily(store, async (manifests) => {
    const { chosen: shown, held } = await chooseNames(store, manifests, request);
    const keep = (now: Descriptor[]) => keepWithout(store, now, shown, before);
    return { shown, held, expected: await findGarbage(store, { keep, before }) };
  });
  if (expected.digests.length === 0 && shown.size === 0) return reportOf(shown, held, expected, true);
  if (!(await isWanted(request, shown, expected))) return reportOf(shown, held, expected, false);
  let removed = shown;
  const keep = async (manifests: Descriptor[]) => {
    const { chosen } = await chooseNames(store, manifests, request);
    removed = new Set([...shown].filter((reference) => chosen.has(reference)));
    return keepWithout(store, manifests, removed, before);
  };
  const garbage = await pruneLayout(store, { keep, before });
  return reportOf(removed, held, garbage, true);
}

/** Reads a store that others may be pruning: a failure is retried when the store changed meanwhile. */
async function lookSteadily<T>(store: Layout, look: (manifests: Descriptor[]) => Promise<T>): Promise<T> {
  for (;;) {
    const before = await store.readIndex();
    try {
      return await look(before.manifests);
    } catch (error) {
      const after = await store.readIndex();
      if (JSON.stringify(after) === JSON.stringify(before)) throw error;
    }
  }
}

function reportOf(
  releases: Set<string>,
  held: PruneReport['held'],
  { digests, bytes }: Garbage,
  isDone: boolean,
): PruneReport {
  return { releases: [...releases], held, blobs: digests.length, bytes, isDone };
}

interface Chosen {
  chosen: Set<string>;
  held: PruneReport['held'];
}

async function chooseNames(store: Layout, manifests: Descriptor[], request: PruneRequest): Promise<Chosen> {
  const { rules, now, name } = request;
  const named = await readNamed(store, manifests);
  const findChannel = await readHeld(store, manifests);
  const choose = (isHeld?: (reference: string) => boolean) =>
    chooseRemovable(named, rules, now, isHeld)
      .filter((each) => name === undefined || each.name === name)
      .map(({ reference }) => reference);
  const chosen = new Set(choose((reference) => findChannel(reference) !== undefined));
  const held = choose().flatMap((reference) => {
    const channel = findChannel(reference);
    return channel === undefined || chosen.has(reference) ? [] : [{ reference, channel }];
  });
  return { chosen, held };
}

/** Lists what stays without these releases. A base stays that a release needs or that a run wanted lately. */
async function keepWithout(
  store: Layout,
  manifests: Descriptor[],
  gone: Set<string>,
  before: number,
): Promise<Descriptor[]> {
  const kept = manifests.filter((each) => !isBase(each) && !gone.has(releaseNameOf(each)));
  const bases = new Set((await readNamed(store, kept)).map(({ base }) => base?.digest));
  const isWanted = ({ digest }: Descriptor) => bases.has(digest) || (store.readBlobTime(digest) ?? before) >= before;
  return [...kept, ...manifests.filter((each) => isBase(each) && isWanted(each))];
}

async function isWanted({ remove, progress }: PruneRequest, shown: Set<string>, { bytes }: Garbage): Promise<boolean> {
  if (remove !== 'ask') return remove === 'yes';
  const what = `${shown.size === 0 ? 'what no release needs' : `${shown.size} releases`} (${formatBytes(bytes)})`;
  if (progress.choose === undefined) {
    throw new GbuildError('usage', `${what} would be removed; pass --force to confirm`, {
      suggestions: ['gbuild releases prune --force', 'gbuild releases prune --dry-run'],
      facts: { releases: [...shown], bytes },
    });
  }
  for (const reference of shown) progress.note(reference);
  return (await progress.choose(`Remove ${what} from this machine's store?`, ['no', 'yes'])) === 'yes';
}
