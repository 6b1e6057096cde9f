import { createReadStream } from 'node:fs';
import { GbuildError } from '../errors.ts';
import { archiveChunks, describeImage } from './archive.ts';
import type { Digest } from './digest.ts';
import type { Image } from './image.ts';
import { layerOfKnownFile } from './layer.ts';
import { type Layout, openLayout } from './layout.ts';
import { annotationKeys, type ImageConfig, type Manifest } from './spec.ts';
import { writeBeside } from './write-beside.ts';

/** Writes every blob of the image that is known by value; the manifest last, so that what it names is there. */
export async function writeImage(layout: Layout, image: Image): Promise<void> {
  for (const layer of image.layers) {
    if (!layout.hasBlob(layer.diffId, layer.size)) await layout.writeBlob(layer.diffId, layer.size, layer.chunks());
  }
  await layout.writeBlob(image.id, image.configBytes.length, [image.configBytes]);
  await layout.writeBlob(image.manifestDigest, image.manifestBytes.length, [image.manifestBytes]);
}

/** The image whose manifest has this digest, all its layers by value. Throws `store-failed` naming a layer that is not there. */
export async function readImage(layout: Layout, manifestDigest: Digest): Promise<Image> {
  const manifestBytes = await layout.readBlob(manifestDigest);
  const manifest = JSON.parse(manifestBytes.toString()) as Manifest;
  const configBytes = await layout.readBlob(manifest.config.digest);
  const config = JSON.parse(configBytes.toString()) as ImageConfig;
  const history = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  const layers = manifest.layers.map(({ digest, size }, i) => {
    if (!layout.hasBlob(digest)) {
      throw new GbuildError(
        'store-failed',
        `the layer ${digest} of ${manifestDigest} is not in ${JSON.stringify(layout.dir)}`,
      );
    }
    const createdBy = history[i]?.created_by ?? '';
    return layerOfKnownFile(layout.blobFile(digest), { diffId: digest, size, createdBy });
  });
  const { digest: id } = manifest.config;
  return { config, configBytes, id, manifest, manifestBytes, manifestDigest, layers, baseDiffIds: [] };
}

/** `--output oci:DIR`: the image alone, whole and verified; equal images give equal bytes. */
export async function copyImage(from: Layout, manifestDigest: Digest, toDir: string, refName: string): Promise<void> {
  const image = await readImage(from, manifestDigest);
  const to = await openLayout(toDir);
  for (const { digest, size } of [...image.manifest.layers, image.manifest.config]) {
    if (!to.hasBlob(digest, size))
      await to.writeBlob(digest, size, createReadStream(from.blobFile(digest), { highWaterMark: 1 << 20 }));
  }
  await to.writeBlob(manifestDigest, image.manifestBytes.length, [image.manifestBytes]);
  await to.putManifest({ ...describeImage(image), annotations: { [annotationKeys.refName]: refName } });
}

/** `--output docker-archive:FILE`: what `docker load` takes on any engine; equal images give equal bytes. */
export async function writeDockerArchive(
  from: Layout,
  manifestDigest: Digest,
  hostFile: string,
  tags: readonly string[],
): Promise<void> {
  const image = await readImage(from, manifestDigest);
  await writeBeside(hostFile, archiveChunks(image, { layers: image.layers, tags }));
}
