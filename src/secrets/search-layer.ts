import type { Layer } from '../oci/layer/layer.ts';
import { type ReadEntry, readTar } from '../oci/tar/untar.ts';
import { mostUnpacked, searchPacked, startsPacked } from './search-packed.ts';
import type { SecretAt, SecretSearch } from './secret-search.ts';

/** Secret, and the path in the layer that holds it. */
export interface LayerSecret {
  secret: string;
  path: string;
}

/**
 * Searches every byte of a layer's tar, names and padding too. With `unpack`, it also searches packed files (jars,
 * zips, gzip). One pass; memory stays constant except for one packed file at a time.
 */
export async function searchLayer(layer: Layer, search: SecretSearch, unpack: boolean): Promise<LayerSecret[]> {
  const found: SecretAt[] = [];
  const leaks = new Map<string, LayerSecret>();
  const add = (each: LayerSecret) => leaks.set(`${each.secret} ${each.path}`, each);
  const blame = ({ path, end }: { path: string; end: number }) => {
    while (found.length > 0 && found[0]!.offset < end) add({ secret: found.shift()!.secret, path });
  };
  let last: { path: string; end: number } | undefined;
  for await (const { header, offset, content } of readTar(watch(layer, search, found), `the layer ${layer.diffId}`)) {
    // The search runs ahead: all bytes of a file were searched when the next one comes.
    if (last !== undefined) blame(last);
    last = { path: header.path, end: offset + header.size };
    if (!unpack || header.type !== 'file') continue;
    const packed = await readIfPacked(header.size, content);
    if (packed === undefined) continue;
    for (const { secret, path } of searchPacked(packed, search)) add({ secret, path: header.path + path });
  }
  if (last !== undefined) blame(last);
  blame({ path: '(after the last file)', end: Number.POSITIVE_INFINITY });
  return [...leaks.values()];
}

/** Searches chunks as they pass, and collects the findings in the order of their offsets. */
async function* watch(layer: Layer, search: SecretSearch, found: SecretAt[]): AsyncGenerator<Buffer> {
  const push = search.openStream();
  for (const chunk of layer.chunks()) {
    for (const each of push(chunk).sort((a, b) => a.offset - b.offset)) found.push(each);
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
