import { type Digest, digestOf } from '../digest.ts';
import { describeImage } from '../image/archive.ts';
import type { Image } from '../image/image.ts';
import { formatCanonical } from '../json.ts';
import type { Layer } from '../layer/layer.ts';
import { formatPlatform } from '../platform.ts';
import { annotationKeys, type Descriptor, type ImageConfig, type Manifest, mediaTypes } from '../spec.ts';
import { completeImage, readImage, type Written, writeImage } from './copy.ts';
import { type Layout, openLayout } from './layout.ts';
import { readIndexBlob } from './read-document.ts';

/** Images of one name: a single one, or one for each of several platforms, listed by an index. */
export interface ImageSet {
  /** Images, sorted by platform. */
  images: readonly Image[];
  /** Descriptor of the name: the only image's manifest, else the index. */
  descriptor: Descriptor;
  bytes: Buffer;
}

/** Image as an index lists it. */
export interface ListedImage {
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
}

/** Gathers images into a set. Equal images give an equal index, in any order. */
export function gatherImages(images: readonly Image[]): ImageSet {
  const [only, ...others] = images;
  if (only !== undefined && others.length === 0)
    return { images, descriptor: describeImage(only), bytes: only.manifestBytes };
  const sorted = images.toSorted((a, b) => (formatPlatform(a.config) < formatPlatform(b.config) ? -1 : 1));
  return { images: sorted, ...formatIndex(sorted.map((image) => ({ ...image, descriptor: describeImage(image) }))) };
}

/** Formats the index of exactly these images, sorted by platform, with the annotations that all of them share. */
export function formatIndex(listed: readonly ListedImage[]): { bytes: Buffer; descriptor: Descriptor } {
  const manifests = listed
    .map(({ descriptor: { mediaType, digest, size }, config: { os, architecture, variant } }): Descriptor => {
      const platform = { os, architecture, ...(variant !== undefined && { variant }) };
      return { mediaType, digest, size, platform };
    })
    .sort((a, b) => (formatPlatform(a.platform!) < formatPlatform(b.platform!) ? -1 : 1));
  const [first, ...rest] = listed.map(({ manifest }) => manifest.annotations ?? {});
  const common = Object.entries(first ?? {}).filter(([key, value]) => rest.every((other) => other[key] === value));
  const annotations = Object.fromEntries(common);
  const bytes = formatCanonical({ schemaVersion: 2, mediaType: mediaTypes.index, manifests, annotations });
  return { bytes, descriptor: { mediaType: mediaTypes.index, digest: digestOf(bytes), size: bytes.length } };
}

/** Whether an index has the name. */
export function isIndexed({ images }: Pick<ImageSet, 'images'>): boolean {
  return images.length > 1;
}

/** Completes every image: see completeImage. */
export function completeSet(set: ImageSet, layout: Layout): ImageSet {
  return { ...set, images: set.images.map((image) => completeImage(image, layout)) };
}

/** Reads the images of a manifest's or an index's descriptor, all layers by value. Throws as readImage does. */
export async function readSet(layout: Layout, descriptor: Descriptor): Promise<ImageSet> {
  const { digest } = descriptor;
  if (descriptor.mediaType !== mediaTypes.index) return gatherImages([await readImage(layout, digest)]);
  const { index, bytes } = await readIndexBlob(layout, digest);
  const images: Image[] = [];
  for (const each of index.manifests) images.push(await readImage(layout, each.digest));
  return { images, descriptor: { mediaType: descriptor.mediaType, digest, size: bytes.length }, bytes };
}

/** Writes every blob that is known by value; the named one comes last, so that its blobs exist. */
export async function writeSet(layout: Layout, { images, descriptor, bytes }: ImageSet): Promise<Written> {
  const believed = new Map<Digest, Layer>();
  let blobs = 0;
  for (const image of images) {
    const written = await writeImage(layout, image);
    blobs += written.blobs;
    for (const layer of written.believed) believed.set(layer.diffId, layer);
  }
  if (!(await layout.writeBlob(descriptor.digest, bytes.length, [bytes]))) blobs += 1;
  return { believed: [...believed.values()], blobs };
}

/**
 * Writes `--output oci:DIR`: only these images, complete (see completeSet) and verified, under one name; equal sets
 * give equal bytes.
 */
export async function copySet(set: ImageSet, toDir: string, refName: string): Promise<void> {
  const layout = await openLayout(toDir);
  await writeSet(layout, set);
  await layout.putManifest({ ...set.descriptor, annotations: { [annotationKeys.refName]: refName } });
}
