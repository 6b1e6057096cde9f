import { hexOf } from '../digest.ts';
import { formatCanonical } from '../json.ts';
import { constantTime, type Layer } from '../layer/layer.ts';
import { formatInFull, parseReference } from '../reference.ts';
import { annotationKeys, type Descriptor, type Index, mediaTypes } from '../spec.ts';
import { endOfArchive, paddingOf } from '../tar/tar.ts';
import { encodeHeader, UstarEncoder } from '../tar/tar-header.ts';
import type { Image } from './image.ts';

export interface ArchiveOptions {
  /** Layers to include. A layer that the engine already has may be left out ("thin load"). */
  layers: readonly Layer[];
  /** References to give the image, such as `hello:1.0.1`. */
  tags: readonly string[];
}

/**
 * Writes one tar that is an OCI layout and, by its manifest.json, a `docker load` archive: classic stores, containerd
 * stores and podman read it alike. Layers lie uncompressed under their diffID. Equal arguments give equal bytes.
 */
export function* archiveChunks(image: Image, { layers, tags }: ArchiveOptions): Generator<Buffer> {
  const encoder = new UstarEncoder();
  const index = formatCanonical(listTagged(image, tags));
  yield* fileChunks(encoder, 'oci-layout', layoutMarker);
  yield* fileChunks(encoder, 'index.json', index);
  yield* fileChunks(encoder, 'manifest.json', formatCanonical([listForDocker(image, tags)]));
  yield* fileChunks(encoder, blobPath(image.manifestDigest), image.manifestBytes);
  yield* fileChunks(encoder, blobPath(image.id), image.configBytes);
  const carried = new Set<string>();
  for (const layer of layers) {
    if (carried.has(layer.diffId)) continue;
    carried.add(layer.diffId);
    yield encode(encoder, blobPath(layer.diffId), layer.size);
    yield* layer.chunks();
    yield Buffer.alloc(paddingOf(layer.size));
  }
  yield Buffer.from(endOfArchive);
}

/** Marker of an OCI layout (image-layout.md, "oci-layout file"). */
export const layoutMarker: Buffer = Buffer.from('{"imageLayoutVersion":"1.0.0"}');

/**
 * Returns a layout's index of this image, once for each tag, with the names of containerd and of the OCI specification.
 */
export function listTagged(image: Image, tags: readonly string[]): Index {
  const descriptor = describeImage(image);
  const named = tags.map((tag): Descriptor => {
    const reference = parseReference(tag);
    const names = {
      [annotationKeys.containerdName]: formatInFull(reference),
      [annotationKeys.refName]: reference.tag ?? 'latest',
    };
    return { ...descriptor, annotations: names };
  });
  return { schemaVersion: 2, mediaType: mediaTypes.index, manifests: named.length > 0 ? named : [descriptor] };
}

/** Returns the descriptor of the image's manifest, with its platform. */
export function describeImage({ manifestDigest, manifestBytes, config }: Image): Descriptor {
  const { architecture, os, variant } = config;
  const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
  return { mediaType: mediaTypes.manifest, digest: manifestDigest, size: manifestBytes.length, platform };
}

function listForDocker(image: Image, tags: readonly string[]) {
  const layers = image.manifest.layers.map((layer) => blobPath(layer.digest));
  return { Config: blobPath(image.id), RepoTags: tags, Layers: layers };
}

function blobPath(digest: Image['id']): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function* fileChunks(encoder: UstarEncoder, path: string, bytes: Buffer): Generator<Buffer> {
  yield Buffer.concat([encode(encoder, path, bytes.length), bytes, Buffer.alloc(paddingOf(bytes.length))]);
}

/** Returns the size of the archive in bytes, without reading a layer. */
export function sizeOfArchive(image: Image, { layers, tags }: ArchiveOptions): number {
  const unread = layers.map((layer): Layer => ({ ...layer, chunks: () => [] }));
  let size = 0;
  for (const chunk of archiveChunks(image, { layers: unread, tags })) size += chunk.length;
  const sizes = new Map(layers.map((layer) => [layer.diffId, layer.size]));
  return size + [...sizes.values()].reduce((sum, each) => sum + each, 0);
}

function encode(encoder: UstarEncoder, path: string, size: number): Buffer {
  return encodeHeader({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: constantTime, size }, encoder);
}
