import { statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../digest.ts';
import type { Descriptor } from '../spec.ts';
import type { Layout } from './layout.ts';
import { readNamedBlobs } from './read-document.ts';

/** Blobs and names that were removed from a layout, or would be. */
export interface Garbage {
  digests: Digest[];
  bytes: number;
}

export interface PruneOptions {
  /** Returns the index's manifests to keep; called under the index's lock. */
  keep: (manifests: Descriptor[]) => Promise<Descriptor[]>;
  /** Time in milliseconds: a blob written or requested later stays, because its manifest may be about to be named. */
  before: number;
}

/**
 * Removes names from the index and then every blob that no remaining manifest needs. A concurrent addManifest waits and
 * then checks its blobs, so a named manifest never lacks one. A crash at any moment leaves only unneeded blobs, which
 * the next call removes.
 */
export async function pruneLayout(layout: Layout, { keep, before }: PruneOptions): Promise<Garbage> {
  const garbage: Garbage = { digests: [], bytes: 0 };
  let needed = new Set<Digest>();
  await layout.updateIndex(
    async (manifests) => {
      const kept = await keep(manifests);
      needed = await listNeeded(layout, kept);
      return kept;
    },
    async () => {
      for (const { digest, size } of await listBlobs(layout, needed, before)) {
        await rm(layout.blobFile(digest), { force: true });
        garbage.digests.push(digest);
        garbage.bytes += size;
      }
    },
  );
  return garbage;
}

/** Finds what pruneLayout would remove now. */
export async function findGarbage(layout: Layout, { keep, before }: PruneOptions): Promise<Garbage> {
  const kept = await keep((await layout.readIndex()).manifests);
  const blobs = await listBlobs(layout, await listNeeded(layout, kept), before);
  return { digests: blobs.map(({ digest }) => digest), bytes: blobs.reduce((sum, { size }) => sum + size, 0) };
}

/**
 * Lists the manifests' digests and everything that they name. Throws `store-failed` for an unreadable one: then nothing
 * may be removed.
 */
async function listNeeded(layout: Layout, manifests: Descriptor[]): Promise<Set<Digest>> {
  const needed = new Set<Digest>();
  const queue = [...manifests];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (needed.has(next.digest)) continue;
    needed.add(next.digest);
    const { manifests: listed, config, layers } = await readNamedBlobs(layout, next.digest);
    if (config !== undefined) needed.add(config.digest);
    for (const { digest } of layers) needed.add(digest);
    queue.push(...listed);
  }
  return needed;
}

async function listBlobs(layout: Layout, needed: Set<Digest>, before: number) {
  const folder = join(layout.dir, 'blobs', 'sha256');
  const blobs: { digest: Digest; size: number }[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const digest: Digest = `sha256:${name}`;
    if (!/^[0-9a-f]{64}$/.test(name) || needed.has(digest)) continue;
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (stat !== undefined && stat.mtimeMs < before) blobs.push({ digest, size: stat.size });
  }
  return blobs;
}
