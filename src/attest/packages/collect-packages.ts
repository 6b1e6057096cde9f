import { closeSync, openSync, readSync } from 'node:fs';
import type { Digest } from '../../oci/digest.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import { asStream } from '../../oci/stream/as-stream.ts';
import { type ReadEntry, readTar } from '../../oci/tar/untar.ts';
import { type Hidden, noteWhiteout, Overlay } from './overlay.ts';
import { type FoundPackage, mergeSightings, type Package, type Sighting } from './package.ts';
import { type FileOfLayer, findReader, type Mark, readLink } from './read-mark.ts';
import { type ByteRange, rangeOfBytes } from './zip.ts';

interface LayerMark extends Mark {
  layer: Digest;
}

/**
 * Collects the packages in the image, sorted by purl. All its layers must be readable (see completeImage), and each is
 * streamed once. Only the directory and small texts of an archive are read: in place where the layer lies on disk, else
 * with one archive at a time in memory. Throws `store-failed` for a layer that is no tar.
 */
export async function collectPackages(image: { layers: readonly Layer[] }): Promise<Package[]> {
  const overlay = new Overlay<LayerMark>();
  for (const layer of image.layers) await readLayer(layer, overlay);
  return mergeSightings(listSightings(overlay));
}

async function readLayer(layer: Layer, overlay: Overlay<LayerMark>): Promise<void> {
  const marks = new Map<string, LayerMark>();
  const hidden: Hidden = { paths: new Set(), folders: new Set() };
  const host = layer.hostFile === undefined ? undefined : openSync(layer.hostFile, 'r');
  try {
    for await (const entry of readTar(asStream(layer.chunks()), `the layer ${layer.diffId}`)) {
      const path = entry.header.path.replaceAll(/^(\.?\/)+|\/+$/g, '');
      if (noteWhiteout(path, hidden) || entry.header.type === 'directory') continue;
      if (overlay.isInUse(path)) hidden.paths.add(path);
      marks.delete(path);
      const target = entry.header.linkTarget?.replace(/^(\.?\/)+/, '') ?? '';
      const mark =
        entry.header.type === 'hardlink'
          ? (marks.get(target) ?? overlay.get(target))
          : await readMark(entry, path, host);
      if (mark !== undefined) marks.set(path, { ...mark, layer: layer.diffId });
    }
  } finally {
    if (host !== undefined) closeSync(host);
  }
  overlay.apply(hidden, marks);
}

async function readMark(entry: ReadEntry, path: string, host: number | undefined): Promise<Mark | undefined> {
  const { type, linkTarget = '' } = entry.header;
  if (type === 'symlink') return readLink(path, linkTarget);
  return type === 'file' ? findReader(path)?.(fileOf(entry, host), path) : undefined;
}

function fileOf({ header: { size }, content, offset }: ReadEntry, host: number | undefined): FileOfLayer {
  const readBytes = () => gather(content);
  return {
    size,
    chunks: content,
    readText: async () => (await readBytes()).toString('utf8'),
    openRange: async () => (host === undefined ? rangeOfBytes(await readBytes()) : rangeOfFile(host, offset, size)),
  };
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}

function rangeOfFile(host: number, start: number, size: number): ByteRange {
  const read = (offset: number, length: number) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
    return bytes.subarray(0, readSync(host, bytes, 0, bytes.length, start + offset));
  };
  return { size, read };
}

function* listSightings(overlay: Overlay<LayerMark>): Generator<Sighting> {
  const distro = overlay.get('usr/lib/os-release')?.distro ?? overlay.get('etc/os-release')?.distro;
  for (const [path, { packages = [], layer }] of overlay.entries()) {
    for (const found of packages) {
      const whole = found.type === 'deb' ? completeDebian(found, overlay, distro) : found;
      yield { found: whole, path, layer };
    }
  }
}

function completeDebian(found: FoundPackage, overlay: Overlay<LayerMark>, distro: Mark['distro']): FoundPackage {
  const licence = readDebianLicence(found.name, overlay);
  return {
    ...found,
    namespace: distro?.id ?? 'debian',
    qualifiers: { ...found.qualifiers, ...(distro !== undefined && { distro: distro.release }) },
    ...(licence !== undefined && { licence }),
  };
}

function readDebianLicence(name: string, overlay: Overlay<LayerMark>): string | undefined {
  const folder = overlay.get(`usr/share/doc/${name}`)?.sameAs ?? name;
  return overlay.get(`usr/share/doc/${folder}/copyright`)?.licence;
}
