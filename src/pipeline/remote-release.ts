import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GbuildError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import { type Descriptor, type ImageConfig, type Manifest, mediaTypes } from '../oci/spec.ts';
import type { Repository } from '../registry/repository.ts';
import { refuseRelease } from './refuse-release.ts';

/** An image as a registry has it: all but the layers' bytes. */
export interface RemoteImage {
  repository: Repository;
  descriptor: Descriptor;
  manifestBytes: Buffer;
  manifest: Manifest;
  config: ImageConfig;
}

/** What a tag or digest names in a registry; undefined where there is nothing. Throws `release-refused` for what is no image. */
export async function readRemote(repository: Repository, tagOrDigest: string): Promise<RemoteImage | undefined> {
  const found = await repository.readManifest(tagOrDigest);
  if (found === undefined) return undefined;
  const { descriptor, bytes: manifestBytes } = found;
  const manifest = JSON.parse(manifestBytes.toString()) as Partial<Manifest>;
  if (manifest.config === undefined || manifest.layers === undefined)
    throw notAnImage(repository, tagOrDigest, descriptor);
  const config = JSON.parse((await readAll(repository.readBlob(manifest.config))).toString()) as ImageConfig;
  return { repository, descriptor, manifestBytes, manifest: manifest as Manifest, config };
}

/** The same image is the same release, however its layers were compressed; another one is refused with what differs. */
export async function assertSameRelease(reference: string, standing: RemoteImage, image: Image): Promise<void> {
  const { manifest, config, repository } = standing;
  if (manifest.config.digest === image.id) return;
  const layers = new Map(config.rootfs?.diff_ids.map((diffId, index) => [diffId, manifest.layers[index]]));
  await refuseRelease(
    reference,
    {
      id: manifest.config.digest,
      where: `in ${repository.registry}`,
      config,
      readLayer: (diffId: Digest) => readLayer(repository, layers.get(diffId)),
    },
    image,
  );
}

/** A layer's tar, unpacked on the way. */
export function readLayer(
  repository: Repository,
  layer: Descriptor | undefined,
): AsyncIterable<Uint8Array> | undefined {
  if (layer === undefined) return undefined;
  const bytes = repository.readBlob(layer);
  return layer.mediaType.endsWith('gzip') ? Readable.from(bytes).compose(createGunzip()) : bytes;
}

async function readAll(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

function notAnImage({ registry, path }: Repository, tag: string, { mediaType }: Descriptor): GbuildError {
  const what =
    mediaType === mediaTypes.index || mediaType === mediaTypes.dockerManifestList ? 'an index of several' : mediaType;
  return new GbuildError(
    'release-refused',
    `${registry}/${path}:${tag} is there already, and is no image but ${what}`,
    {
      suggestions: ['release under another version'],
      facts: { registry, repository: path, tag, mediaType },
    },
  );
}
