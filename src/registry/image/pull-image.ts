import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { compressionOf, isUnpackFault, unpack } from '../../oci/compression/unpack.ts';
import { type Digest, hexOf } from '../../oci/digest.ts';
import { parseConfigBytes } from '../../oci/image/documents.ts';
import { exactImage } from '../../oci/image/exact-image.ts';
import type { Image } from '../../oci/image/image.ts';
import { parseJsonObject } from '../../oci/json.ts';
import { type Layer, layerOfKnownFile } from '../../oci/layer/layer.ts';
import type { Descriptor, ImageConfig, Manifest } from '../../oci/spec.ts';
import { writeHashed } from '../../oci/stream/write-hashed.ts';
import { nameManifest, parseManifest } from '../manifest/parse-manifest.ts';
import type { Repository } from '../repository.ts';
import { readSmall } from './read-small.ts';

/** Image as a registry has it, without the layers' bytes. */
export interface RemoteImage {
  repository: Repository;
  /** Descriptor of the manifest. */
  descriptor: Descriptor;
  manifestBytes: Buffer;
  manifest: Manifest;
  configBytes: Buffer;
  config: ImageConfig;
}

export interface PullOptions {
  /** Existing folder; unpacked layers stay there while the image is needed. */
  tempDir: string;
  /** Returns a layer that need not be pulled. */
  find?: (diffId: Digest) => Layer | undefined;
  onProgress?: (state: { layer: string; received: number; size: number }) => void;
}

/**
 * Reads the image that a tag or digest names; undefined where it is missing. Throws `registry-failed`, and
 * NotAnImageError for an index of several or an artifact.
 */
export async function readRemote(repository: Repository, tagOrDigest: string): Promise<RemoteImage | undefined> {
  const found = await repository.readManifest(tagOrDigest);
  return found && readImageOf(repository, tagOrDigest, found);
}

const isImage = /^application\/vnd\.(oci\.image\.config|docker\.container\.image)\.v1\+json$/;
const isOther = /index|list/;

/** Failure: a tag or digest names an index of several images, or an artifact that is no image. */
export class NotAnImageError extends GbuildError {
  constructor({ name, registry }: Repository, tag: string, { mediaType }: Descriptor) {
    const what = isOther.test(mediaType) ? 'an index of several images' : `no image (${mediaType})`;
    super('registry-failed', `${nameManifest({ name, reference: tag })} is ${what}`, {
      facts: { registry, name, tag, mediaType },
    });
  }
}

/** Reads the image of a manifest that was read before. */
export async function readImageOf(
  repository: Repository,
  tagOrDigest: string,
  { descriptor, bytes: manifestBytes }: { descriptor: Descriptor; bytes: Buffer },
): Promise<RemoteImage> {
  // An error for an index or an artifact says what it is.
  const { config: claimed } = (parseJsonObject(manifestBytes) ?? {}) as { config?: { mediaType?: unknown } };
  if (typeof claimed?.mediaType === 'string' ? !isImage.test(claimed.mediaType) : isOther.test(descriptor.mediaType))
    throw new NotAnImageError(repository, tagOrDigest, descriptor);
  const { name, registry } = repository;
  const manifest = parseManifest({ name, registry, reference: tagOrDigest }, manifestBytes);
  const configBytes = await readSmall(repository, manifest.config);
  const blame = (fault: string) => brokenImage(repository, tagOrDigest, fault);
  const config = parseConfigBytes(configBytes, blame, manifest.layers.length);
  return { repository, descriptor, manifestBytes, manifest, configBytes, config };
}

/** Pulls the image with all its layers by value, unpacked to disk; every byte is checked, packed and unpacked. */
export async function pullImage(remote: RemoteImage, options: PullOptions): Promise<Image> {
  const { manifest, config } = remote;
  const history = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  const layers: Layer[] = [];
  await mkdir(options.tempDir, { recursive: true });
  for (const [index, descriptor] of manifest.layers.entries()) {
    const diffId = config.rootfs.diff_ids[index]!;
    const createdBy = history[index]?.created_by ?? '';
    layers.push(options.find?.(diffId) ?? (await unpackLayer(remote, { descriptor, diffId, createdBy }, options)));
  }
  return exactImage(remote, layers);
}

/** Reads a layer's tar, unpacked while it is read. */
export function readLayer(repository: Repository, layer: Descriptor): AsyncIterable<Uint8Array> {
  return unpackBlob(repository, layer, repository.readBlob(layer));
}

async function* unpackBlob(
  { name, registry }: Repository,
  { mediaType, digest }: Descriptor,
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<Uint8Array> {
  const fail = (why: string, cause?: unknown) =>
    new GbuildError('registry-failed', `${name}: the layer ${digest} ${why}`, {
      cause,
      facts: { registry, layer: digest, mediaType },
    });
  const compression = compressionOf(mediaType);
  if (compression === undefined)
    throw fail(`has the media type ${mediaType}, which gbuild cannot read; it reads tar, tar+gzip and tar+zstd`);
  try {
    yield* unpack(compression, bytes);
  } catch (thrown) {
    if (!isUnpackFault(thrown)) throw thrown;
    throw fail(`(${mediaType}) cannot be unpacked: ${messageOf(thrown)}`, thrown);
  }
}

interface RemoteLayer {
  descriptor: Descriptor;
  diffId: Digest;
  createdBy: string;
}

async function unpackLayer(
  { repository }: RemoteImage,
  { descriptor, diffId, createdBy }: RemoteLayer,
  { tempDir, onProgress = () => {} }: PullOptions,
): Promise<Layer> {
  const hostFile = join(tempDir, `${hexOf(diffId)}.tar`);
  const counted = count(repository.readBlob(descriptor), (received) =>
    onProgress({ layer: createdBy, received, size: descriptor.size }),
  );
  const { digest, size } = await writeHashed(unpackBlob(repository, descriptor, counted), hostFile);
  if (digest === diffId) return layerOfKnownFile(hostFile, { diffId, size, createdBy });
  await rm(hostFile, { force: true });
  throw new GbuildError(
    'registry-failed',
    `${repository.name}: the layer ${descriptor.digest} unpacks to ${digest}, but the image's config says ${diffId}`,
    { facts: { registry: repository.registry, layer: descriptor.digest, expected: diffId, found: digest } },
  );
}

async function* count(chunks: AsyncIterable<Buffer>, onBytes: (received: number) => void): AsyncGenerator<Buffer> {
  let received = 0;
  for await (const chunk of chunks) {
    received += chunk.length;
    onBytes(received);
    yield chunk;
  }
}

function brokenImage({ name, registry }: Repository, tag: string, fault: string): GbuildError {
  const message = `${nameManifest({ name, reference: tag })} cannot be used: ${fault}`;
  return new GbuildError('registry-failed', message, { facts: { registry, name, tag } });
}
