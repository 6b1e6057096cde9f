import { createHash } from 'node:crypto';
import { readTar } from '../tar/untar.ts';

/** Difference of two layers in one path. */
export interface PathDifference {
  path: string;
  change: 'added' | 'removed' | 'changed';
}

/**
 * Lists the paths in which two layers (uncompressed tars) differ, sorted; memory grows with the number of paths, not
 * bytes.
 */
export async function compareLayers(
  before: AsyncIterable<Uint8Array>,
  after: AsyncIterable<Uint8Array>,
): Promise<PathDifference[]> {
  const old = await indexLayer(before, 'the older layer');
  const now = await indexLayer(after, 'the newer layer');
  const differences: PathDifference[] = [];
  for (const [path, fingerprint] of old) {
    if (!now.has(path)) differences.push({ path, change: 'removed' });
    else if (now.get(path) !== fingerprint) differences.push({ path, change: 'changed' });
  }
  for (const path of now.keys()) if (!old.has(path)) differences.push({ path, change: 'added' });
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Indexes every path with a fingerprint of all its properties. */
async function indexLayer(chunks: AsyncIterable<Uint8Array>, label: string): Promise<Map<string, string>> {
  const fingerprints = new Map<string, string>();
  for await (const { header, content } of readTar(chunks, label)) {
    const hash = createHash('sha256');
    for await (const chunk of content) hash.update(chunk);
    const { path, type, mode, uid, gid, linkTarget = '' } = header;
    fingerprints.set(path, [type, mode, uid, gid, linkTarget, hash.digest('hex')].join(' '));
  }
  return fingerprints;
}
