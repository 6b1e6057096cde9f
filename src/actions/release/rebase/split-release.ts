import { GbuildError } from '../../../errors.ts';
import { type Digest, isDigest } from '../../../oci/digest.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { readImageDocuments, readNamedBlobs } from '../../../oci/layout/read-document.ts';
import type { HistoryEntry, ImageConfig, RunConfig } from '../../../oci/spec.ts';

/** Boundary between a release's base and its application. */
export interface SplitRelease {
  baseDiffIds: Digest[];
  /** Layers of the application, lowest first, each with its history entry. */
  own: { diffId: Digest; createdBy: string }[];
  /** Run config of the old base, where the store has it. */
  oldBase: RunConfig | undefined;
}

/**
 * Splits base from application: by the base in the store, else by the history that gbuild writes. Throws
 * `release-refused` where neither explains the image.
 */
export async function splitRelease(reference: string, config: ImageConfig, store: Layout): Promise<SplitRelease> {
  const base = await readOldBase(config, store);
  const count = base?.rootfs.diff_ids.length ?? countByHistory(config);
  const diffIds = config.rootfs.diff_ids;
  if (count === undefined || count >= diffIds.length) throw notSplit(reference);
  const history = listHistory(config);
  const own = diffIds.slice(count).map((diffId, index) => {
    return { diffId, createdBy: history[count + index]?.created_by ?? '' };
  });
  return { baseDiffIds: diffIds.slice(0, count), own, oldBase: base?.config };
}

async function readOldBase(config: ImageConfig, store: Layout): Promise<ImageConfig | undefined> {
  const digest = config.config.Labels?.['org.opencontainers.image.base.digest'] ?? '';
  if (!isDigest(digest) || !store.hasBlob(digest)) return undefined;
  const named = await readNamedBlobs(store, digest);
  if (named.config === undefined || !store.hasBlob(named.config.digest)) return undefined;
  const { config: base } = await readImageDocuments(store, digest);
  const isBelow = base.rootfs.diff_ids.every((diffId, index) => config.rootfs.diff_ids[index] === diffId);
  return isBelow ? base : undefined;
}

/**
 * Counts the base's layers by the history. A base may also be an image of gbuild: its layers are of another commit, and
 * so of another time.
 */
function countByHistory(config: ImageConfig): number | undefined {
  const history = listHistory(config);
  if (history.length !== config.rootfs.diff_ids.length) return undefined;
  const isOwn = ({ created_by: by, created }: HistoryEntry) =>
    by?.startsWith('gbuild layer: ') === true && created === config.created;
  return history.findLastIndex((entry) => !isOwn(entry)) + 1;
}

function listHistory({ history = [] }: ImageConfig): HistoryEntry[] {
  return history.filter((entry) => entry.empty_layer !== true);
}

function notSplit(reference: string): GbuildError {
  return new GbuildError(
    'release-refused',
    `${reference}: nothing says which of its layers are the base, so they cannot be replaced`,
    { suggestions: ['gbuild image --release 1.0.2   # of the same commit builds it again'], facts: { reference } },
  );
}
