import type { Layer } from '../oci/layer.ts';
import { type ReadEntry, readTar } from '../oci/untar.ts';
import type { LeakAt, LeakSearch } from './leak-search.ts';
import { mostUnpacked, searchPacked, startsPacked } from './search-packed.ts';

/** A secret, and the path in the layer that holds it. */
export interface LayerLeak {
  secret: string;
  path: string;
}

/**
 * Looks through every byte of a layer's tar, names and padding too; with `unpack`, also through what is packed in its files
 * (jars, zips, gzip). One pass, memory stays flat but for a packed file at a time.
 */
export async function searchLayer(layer: Layer, search: LeakSearch, unpack: boolean): Promise<LayerLeak[]> {
  const raw: LeakAt[] = [];
  const leaks: LayerLeak[] = [];
  const blame = (path: string, end: number) => {
    const own = raw.filter(({ offset }) => offset < end);
    leaks.push(...own.map(({ secret }) => ({ secret, path })));
    raw.splice(0, raw.length, ...raw.filter(({ offset }) => offset >= end));
  };
  let last: { path: string; end: number } | undefined;
  for await (const { header, offset, content } of readTar(watch(layer, search, raw), `the layer ${layer.diffId}`)) {
    // What is read runs ahead: a file's own bytes are all seen when the next one comes.
    if (last !== undefined) blame(last.path, last.end);
    last = { path: header.path, end: offset + header.size };
    if (!unpack || header.type !== 'file') continue;
    const packed = await readIfPacked(header.size, content);
    if (packed === undefined) continue;
    leaks.push(...searchPacked(packed, search).map(({ secret, path }) => ({ secret, path: header.path + path })));
  }
  if (last !== undefined) blame(last.path, last.end);
  blame('(after the last file)', Number.POSITIVE_INFINITY);
  return leaks;
}

async function* watch(layer: Layer, search: LeakSearch, found: LeakAt[]): AsyncGenerator<Buffer> {
  const push = search.openStream();
  for (const chunk of layer.chunks()) {
    found.push(...push(chunk));
    yield chunk;
  }
}

async function readIfPacked(size: number, content: ReadEntry['content']): Promise<Buffer | undefined> {
  if (size < 4 || size > mostUnpacked) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of content) {
    if (parts.length === 0 && part.length >= 4 && !startsPacked(part)) return undefined;
    parts.push(part);
  }
  const bytes = Buffer.concat(parts);
  return startsPacked(bytes) ? bytes : undefined;
}
