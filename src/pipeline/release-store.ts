import { join } from 'node:path';
import type { Host } from '../host.ts';
import type { Digest } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import { type Layout, openLayout } from '../oci/layout.ts';
import { annotationKeys, type Descriptor, type ImageConfig, type Manifest } from '../oci/spec.ts';

/** An image as the store holds it: everything but the layers' bytes, which `layout` has by digest. */
export interface StoredImage {
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
}

/** The embedded registry: an OCI layout in the user's data folder that holds releases and the bases they stand on. */
export function openStore(host: Host): Promise<Layout> {
  return openLayout(join(host.dataDir, 'store'));
}

export async function findImage(store: Layout, name: string): Promise<StoredImage | undefined> {
  const descriptor = await store.findManifest(name);
  return descriptor === undefined ? undefined : readStored(store, descriptor);
}

export async function readStored(store: Layout, descriptor: Descriptor): Promise<StoredImage> {
  const manifest = JSON.parse((await store.readBlob(descriptor.digest)).toString()) as Manifest;
  const config = JSON.parse((await store.readBlob(manifest.config.digest)).toString()) as ImageConfig;
  return { descriptor, manifest, config };
}

/** Gives the image its name, unless the name is taken: answers the digest of the manifest that has it now. */
export async function nameImage(
  store: Layout,
  image: Image,
  name: string,
  annotations: Record<string, string>,
): Promise<Digest> {
  const { mediaType, layers } = image.manifest;
  const descriptor = {
    mediaType,
    digest: image.manifestDigest,
    size: image.manifestBytes.length,
    annotations: { ...annotations, [annotationKeys.refName]: name },
  };
  const needs = [image.manifestDigest, image.id, ...layers.map(({ digest }) => digest)];
  const standing = await store.addManifest(descriptor, needs);
  return standing.digest;
}
