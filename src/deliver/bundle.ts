import type { Zippable } from 'fflate';
import { constantTime } from '../oci/layer/layer.ts';
import { endOfArchive, paddingOf } from '../oci/tar/tar.ts';
import { encodeHeader, UstarEncoder } from '../oci/tar/tar-header.ts';
import type { TextFile } from './files.ts';

/** Entry of a tar whose bytes are made while they are written. */
export interface SizedStream {
  kind: 'stream';
  path: string;
  /** Size in bytes. */
  size: number;
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * Writes a tar of texts and streams: sorted by path, owned by 0:0, mode 0644 or 0755, all of one constant time. The
 * bytes depend on the entries alone.
 */
export async function* tarChunks(entries: readonly (TextFile | SizedStream)[]): AsyncGenerator<Uint8Array> {
  const encoder = new UstarEncoder();
  for (const entry of sortByPath(entries)) {
    const bytes = entry.kind === 'text' ? Buffer.from(entry.text) : undefined;
    const size = entry.kind === 'text' ? bytes!.length : entry.size;
    const mode = entry.kind === 'text' && entry.isExecutable === true ? 0o755 : 0o644;
    const header = { path: entry.path, type: 'file', mode, uid: 0, gid: 0, mtime: constantTime, size } as const;
    yield encodeHeader(header, encoder);
    yield* entry.kind === 'text' ? [bytes!] : entry.chunks();
    yield Buffer.alloc(paddingOf(size));
  }
  yield endOfArchive;
}

/** Unix, in the field "version made by" of a zip (APPNOTE 4.4.2): the upper half of the attributes is a mode. */
const unix = 3;
const regularFile = 0o100000;

/**
 * Makes a zip of texts, sorted by path, of one constant time. fflate compresses in JavaScript: the bytes are the same
 * with every Node. A zip's times are local: the date is made of local parts, so that no time zone shows.
 */
export async function zipBytes(entries: readonly TextFile[]): Promise<Uint8Array> {
  const { zipSync } = await import('fflate');
  const files: Zippable = {};
  for (const { path, text, isExecutable = false } of sortByPath(entries)) {
    const attrs = (regularFile | (isExecutable ? 0o755 : 0o644)) << 16;
    files[path] = [Buffer.from(text), { mtime: new Date(1980, 0, 1, 0, 0, 2), os: unix, attrs: attrs >>> 0 }];
  }
  return zipSync(files, { level: 6 });
}

function sortByPath<T extends { path: string }>(entries: readonly T[]): T[] {
  return entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}
