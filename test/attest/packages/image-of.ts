import { Readable } from 'node:stream';
import { strToU8, type Zippable, zipSync } from 'fflate';
import { type Header, pack } from 'tar-stream';
import type { Package } from '../../../src/attest/packages/package.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { type Layer, packLayer } from '../../../src/oci/layer/layer.ts';
import type { Entry, Whiteout } from '../../../src/oci/tar/entry.ts';

/** A file's text or bytes by its path; null for a path that the layer takes away. */
export type Files = Record<string, string | Uint8Array | null>;

/** An image of these layers, lowest first. */
export function imageOf(...layers: Files[]): { layers: Layer[] } {
  return { layers: layers.map((files) => packLayer(Object.entries(files).map(entryOf), { createdBy: 'test' })) };
}

function entryOf([path, content]: [string, string | Uint8Array | null]): Entry | Whiteout {
  if (content === null) return { path, type: 'whiteout' };
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { path, type: 'file', executable: false, content: { bytes, size: bytes.length } };
}

/** A layer as another tool may write it: with hard links, `./` before paths, opaque folders. */
export async function foreignLayer(entries: (Partial<Header> & { name: string; text?: string })[]): Promise<Layer> {
  const archive = pack();
  for (const { text = '', ...header } of entries) archive.entry(header, text);
  archive.finalize();
  const bytes = Buffer.concat(await Readable.from(archive).toArray());
  return { diffId: digestOf(bytes), size: bytes.length, createdBy: 'foreign', chunks: () => [bytes] };
}

/** A zip by a writer that is not ours; jars in it are stored where nothing else is asked for, as Spring Boot nests them. */
export function zipOf(
  files: Record<string, string | Uint8Array>,
  nested: 'stored' | 'deflated' = 'stored',
): Uint8Array {
  const entries: Zippable = {};
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? strToU8(content) : content;
    entries[path] = [
      bytes,
      { level: path.endsWith('.jar') && nested === 'stored' ? 0 : 6, mtime: '2000-01-01T00:00:00' },
    ];
  }
  return zipSync(entries);
}

/** One line a package: what a person would look at. */
export function summarise(packages: Package[]): string[] {
  return packages.map(({ purl, licence = '-', paths }) => `${purl} ${licence} ${paths.join(' ')}`);
}
