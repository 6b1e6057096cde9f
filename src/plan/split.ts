import { createHash } from 'node:crypto';
import type { Entry } from '../oci/tar/entry.ts';

/**
 * Size in bytes above which a group of files becomes several layers, so that one changed file does not resend the rest.
 */
const targetBytes = 64 * 1024 * 1024;
const mostBuckets = 8;

/** Files that people edit and builds rewrite. They go into the last layers, above assets, which change less often. */
const code =
  /\.(?:[cm]?[jt]sx?|json|ya?ml|html?|css|scss|vue|svelte|rb|erb|py|java|scala|kt|groovy|class|go|rs|sh|sql|graphql|md|txt|toml|xml|properties|conf|map)$/i;

/**
 * Splits a group into layers that change independently: assets before code, each into buckets by a hash of the path
 * when it is large. The split depends on paths and sizes alone, so the same tree always gives the same one. A file
 * never changes its bucket because of its content, only when the whole group doubles or halves. Returns non-empty
 * groups, bottom layer first.
 */
export function splitEntries(entries: Entry[]): Entry[][] {
  const assets: Entry[] = [];
  const sources: Entry[] = [];
  for (const entry of entries) (entry.type === 'file' && !code.test(entry.path) ? assets : sources).push(entry);
  if (bytesOf(assets) + bytesOf(sources) <= targetBytes) return entries.length > 0 ? [entries] : [];
  return [...intoBuckets(assets), ...intoBuckets(sources)];
}

function intoBuckets(entries: Entry[]): Entry[][] {
  const count = bucketCount(bytesOf(entries));
  if (count === 1) return entries.length > 0 ? [entries] : [];
  const buckets = Array.from({ length: count }, (): Entry[] => []);
  for (const entry of entries) buckets[bucketOf(entry.path, count)]!.push(entry);
  return buckets.filter((bucket) => bucket.length > 0);
}

/** Returns the power of two that brings a bucket near the target. */
function bucketCount(bytes: number): number {
  let count = 1;
  while (count < mostBuckets && bytes / count > targetBytes) count *= 2;
  return count;
}

function bucketOf(path: string, count: number): number {
  return createHash('sha256').update(path).digest().readUInt32BE(0) % count;
}

function bytesOf(entries: Entry[]): number {
  let bytes = 0;
  for (const entry of entries) if (entry.type === 'file') bytes += entry.content.size;
  return bytes;
}
