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
  /** Layers that were there already, by their size: see mendLayers. */
  believed: Layer[];
  /** How many blobs were not there, or not whole. */
  blobs: number;
}

/** Writes every blob of the image that is known by value; the manifest last, so that what it names is there. */
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

/** Reads what the layout has of these layers, and writes again what is not what it should be; answers those. */
export async function mendLayers(layout: Layout, layers: readonly Layer[]): Promise<Layer[]> {
  const mended: Layer[] = [];
  for (const layer of layers) {
    if (await layout.isWhole(layer.diffId)) continue;
    await layout.replaceBlob(layer.diffId, layer.size, layer.chunks());
    mended.push(layer);
  }
  return mended;
}

/** The same of an image whose layers lie in files that nobody else wants: they are moved. */
export async function moveImage(layout: Layout, image: Image): Promise<void> {
  for (const { diffId, size, hostFile } of image.layers)
    if (hostFile !== undefined) await layout.adoptBlob(diffId, size, hostFile);
  await writeImage(layout, image);
}

/** The image whose manifest has this digest, all its layers by value. Throws `store-failed` naming a layer that is not there. */
export async function readImage(layout: Layout, manifestDigest: Digest): Promise<Image> {
  const documents = await readImageDocuments(layout, manifestDigest);
  const { digest: id } = documents.manifest.config;
  return completeImage({ ...documents, id, manifestDigest, layers: [], baseDiffIds: [] }, layout);
}

/** The image with all its layers by value, those that it knows by name only (its base's) from the layout. */
export function completeImage(image: Image, layout: Layout): Image {
  const own = new Map(image.layers.map((layer) => [layer.diffId, layer]));
  const history = (image.config.history ?? []).filter((entry) => entry.empty_layer !== true);
  const layers = image.manifest.layers.map(
    (descriptor, i) => own.get(descriptor.digest) ?? storedLayer(layout, descriptor, history[i]?.created_by ?? ''),
  );
  return { ...image, layers, baseDiffIds: [] };
}

/** The layer that the layout has of this diffID; undefined where it has none. */
export function findLayer(layout: Layout, diffId: Digest): Layer | undefined {
  const stat = statSync(layout.blobFile(diffId), { throwIfNoEntry: false });
  return stat?.isFile() ? storedLayer(layout, { digest: diffId, size: stat.size }, '') : undefined;
}

/** The layers that the layout has of these, every byte read. */
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

/** Nobody rewrites a store's blob: one that is not what its name says is damage. */
function* blameStore(layout: Layout, layer: Layer, message: string): Generator<Buffer> {
  try {
    yield* layer.chunks();
  } catch (cause) {
    throw layout.damage(message, layer.diffId, cause);
  }
}

/** `--output docker-archive:FILE`: what `docker load` takes on any engine; equal images give equal bytes. */
export async function writeDockerArchive(image: Image, hostFile: string, tags: readonly string[]): Promise<void> {
  await mkdir(dirname(hostFile), { recursive: true });
  await writeAtomic(hostFile, archiveChunks(image, { layers: image.layers, tags }));
}
