import { statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Digest } from '../digest.ts';
import { archiveChunks } from '../image/archive.ts';
import type { Image } from '../image/image.ts';
import { type Layer, layerOfKnownFile } from '../layer/layer.ts';
import type { Descriptor } from '../spec.ts';
import { writeAtomic } from './atomic-write.ts';
import type { Layout } from './layout.ts';
import { readImageDocuments } from './read-document.ts';

export interface Written {
  /** Layers that already existed, judged by their size: see mendLayers. */
  believed: Layer[];
  /** Number of blobs that were missing or damaged. */
  blobs: number;
}

/** Writes every blob of the image that is known by value; the manifest comes last, so that its blobs exist. */
export async function writeImage(layout: Layout, image: Image): Promise<Written> {
  const believed: Layer[] = [];
  for (const layer of image.layers)
    if (await layout.writeBlob(layer.diffId, layer.size, layer.chunks())) believed.push(layer);
  const small: [Digest, Buffer][] = [
    [image.id, image.configBytes],
    [image.manifestDigest, image.manifestBytes],
  ];
  let blobs = image.layers.length - believed.length;
  for (const [digest, bytes] of small) if (!(await layout.writeBlob(digest, bytes.length, [bytes]))) blobs += 1;
  return { believed, blobs };
}

/** Reads the layout's blobs of these layers, and writes damaged ones again. Returns those. */
export async function mendLayers(layout: Layout, layers: readonly Layer[]): Promise<Layer[]> {
  const mended: Layer[] = [];
  for (const layer of layers) {
    if (await layout.isWhole(layer.diffId)) continue;
    await layout.replaceBlob(layer.diffId, layer.size, layer.chunks());
    mended.push(layer);
  }
  return mended;
}

/** Writes an image whose layers lie in files without another use: they are moved. */
export async function moveImage(layout: Layout, image: Image): Promise<void> {
  for (const { diffId, size, hostFile } of image.layers)
    if (hostFile !== undefined) await layout.adoptBlob(diffId, size, hostFile);
  await writeImage(layout, image);
}

/**
 * Reads the image of this manifest, all its layers by value. Throws `store-failed` with the name of a missing layer.
 */
export async function readImage(layout: Layout, manifestDigest: Digest): Promise<Image> {
  const documents = await readImageDocuments(layout, manifestDigest);
  const { digest: id } = documents.manifest.config;
  return completeImage({ ...documents, id, manifestDigest, layers: [], baseDiffIds: [] }, layout);
}

/**
 * Completes the image with all layers by value; those that it knows by diffID only (its base's) come from the layout.
 */
export function completeImage(image: Image, layout: Layout): Image {
  const own = new Map(image.layers.map((layer) => [layer.diffId, layer]));
  const history = (image.config.history ?? []).filter((entry) => entry.empty_layer !== true);
  const layers = image.manifest.layers.map(
    (descriptor, i) => own.get(descriptor.digest) ?? storedLayer(layout, descriptor, history[i]?.created_by ?? ''),
  );
  return { ...image, layers, baseDiffIds: [] };
}

/** Finds the layer of this diffID in the layout; undefined where it is missing. */
export function findLayer(layout: Layout, diffId: Digest): Layer | undefined {
  const stat = statSync(layout.blobFile(diffId), { throwIfNoEntry: false });
  return stat?.isFile() ? storedLayer(layout, { digest: diffId, size: stat.size }, '') : undefined;
}

/** Finds the intact ones of these layers in the layout; reads every byte. */
export async function findWholeLayers(layout: Layout, diffIds: readonly Digest[]): Promise<Map<Digest, Layer>> {
  const found = new Map<Digest, Layer>();
  for (const diffId of diffIds) {
    const layer = (await layout.isWhole(diffId)) ? findLayer(layout, diffId) : undefined;
    if (layer !== undefined) found.set(diffId, layer);
  }
  return found;
}

function storedLayer(
  layout: Layout,
  { digest: diffId, size }: Pick<Descriptor, 'digest' | 'size'>,
  createdBy: string,
): Layer {
  const where = JSON.stringify(layout.dir);
  if (!layout.hasBlob(diffId)) throw layout.damage(`the layer ${diffId} is not in ${where}`, diffId);
  const layer = layerOfKnownFile(layout.blobFile(diffId), { diffId, size, createdBy });
  return { ...layer, chunks: () => blameStore(layout, layer, `the blob ${diffId} in ${where} is damaged`) };
}

/** Reports damage of the store. Its blobs are never rewritten, so one that does not match its name is damaged. */
function* blameStore(layout: Layout, layer: Layer, message: string): Generator<Buffer> {
  try {
    yield* layer.chunks();
  } catch (cause) {
    throw layout.damage(message, layer.diffId, cause);
  }
}

/** Writes `--output docker-archive:FILE`, which `docker load` accepts on any engine; equal images give equal bytes. */
export async function writeDockerArchive(image: Image, hostFile: string, tags: readonly string[]): Promise<void> {
  await mkdir(dirname(hostFile), { recursive: true });
  await writeAtomic(hostFile, archiveChunks(image, { layers: image.layers, tags }));
}
