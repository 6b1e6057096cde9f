import { join } from 'node:path';
import type { Host } from '../../host.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Image } from '../../oci/image/image.ts';
import { gatherImages, type ImageSet } from '../../oci/layout/image-set.ts';
import { Layout, openLayout } from '../../oci/layout/layout.ts';
import { readImageDocuments, readIndexBlob } from '../../oci/layout/read-document.ts';
import { annotationKeys, type Descriptor, type ImageConfig, type Manifest, mediaTypes } from '../../oci/spec.ts';

/** Image as the store holds it: everything except the layers' bytes, which `layout` has by digest. */
export interface StoredImage {
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
}

/** Image or index that a name points to in the store: an ImageSet whose layers the store has. */
export interface StoredSet {
  descriptor: Descriptor;
  images: StoredImage[];
}

const mendBy = 'gbuild doctor --fix';

export function storeDir({ dataDir }: Host): string {
  return join(dataDir, 'store');
}

/** Returns the store unchanged: nothing is created, whatever is missing. */
export function storeAsItIs(host: Host): Layout {
  return new Layout(storeDir(host), { mendBy });
}

/** Opens the embedded registry: an OCI layout in the user's data folder that holds releases and their bases. */
export function openStore(host: Host): Promise<Layout> {
  return openLayout(storeDir(host), { mendBy });
}

export async function findStored(store: Layout, name: string): Promise<StoredSet | undefined> {
  const descriptor = await store.findManifest(name);
  return descriptor === undefined ? undefined : { descriptor, images: await readStored(store, descriptor) };
}

/** Reads the images of a descriptor in the store's index, directly or through an index. */
export async function readStored(store: Layout, descriptor: Descriptor): Promise<StoredImage[]> {
  if (descriptor.mediaType !== mediaTypes.index) return [await readOne(store, descriptor)];
  const { index } = await readIndexBlob(store, descriptor.digest);
  return Promise.all(index.manifests.map((each) => readOne(store, each)));
}

async function readOne(store: Layout, descriptor: Descriptor): Promise<StoredImage> {
  const { manifest, config } = await readImageDocuments(store, descriptor.digest);
  return { descriptor, manifest, config };
}

/** Gives the image its name, unless the name is taken. Returns the digest of the manifest that has it now. */
export function nameImage(
  store: Layout,
  image: Image,
  name: string,
  annotations: Record<string, string>,
): Promise<Digest> {
  return nameSet(store, gatherImages([image]), name, annotations);
}

/** Gives the name to the index of images for several platforms. */
export async function nameSet(
  store: Layout,
  { images, descriptor: { mediaType, digest, size } }: ImageSet,
  name: string,
  annotations: Record<string, string>,
): Promise<Digest> {
  const descriptor = { mediaType, digest, size, annotations: { ...annotations, [annotationKeys.refName]: name } };
  const needs = images.flatMap(({ manifestDigest, id, manifest }) => {
    return [manifestDigest, id, ...manifest.layers.map((layer) => layer.digest)];
  });
  return (await store.addManifest(descriptor, [...needs, digest])).digest;
}
