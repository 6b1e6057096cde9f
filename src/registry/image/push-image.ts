import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Image } from '../../oci/image/image.ts';
import { formatCanonical } from '../../oci/json.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import { type Descriptor, type Manifest, mediaTypes } from '../../oci/spec.ts';
import type { Repository } from '../repository.ts';
import type { CompressedLayers } from './compressed-layers.ts';
import { mapInOrder, whenBoth } from './map-in-order.ts';

/** Layer that some registry already has, with its descriptor there. */
export interface KnownLayer {
  descriptor: Descriptor;
  /** Repository to copy it from; it is mounted where that is on the same registry. */
  from: Repository;
}

export interface PushOptions {
  layers: CompressedLayers;
  /** Layers of the base that came from a registry, by diffID: their descriptors stay the same. */
  known: ReadonlyMap<string, KnownLayer>;
  /** Whether the registry may have a layer that this machine has not compressed yet. */
  mayHave: (diffId: Digest) => Promise<boolean>;
  signal: AbortSignal;
  onProgress: (state: PushState) => void;
}

/** Bytes of a layer that were sent, and their total; negative where some are sent again. */
export interface PushState {
  layer: string;
  count: number;
  size: number;
}

/** Image as the registry has it now: by its digest, without a name. */
export interface PushedImage {
  manifest: Manifest;
  manifestBytes: Buffer;
  descriptor: Descriptor;
  /** Number of sent layers; the others existed, or came from the base's repository. */
  layersSent: number;
  /** Number of all sent bytes: layers, config, manifest. */
  bytesSent: number;
}

/**
 * Size below which a layer is compressed first: it is faster than a stream, and one request by its digest tells whether
 * it exists.
 */
const worthStreaming = 1 << 20;

/** Number of layers at the same time: one is compressed while another is sent. */
const layersAtOnce = 2;

const questionsAtOnce = 8;

/**
 * Pushes a whole image (see completeImage) to a repository by its digest alone. Only missing parts are sent. A crash at
 * any moment leaves blobs that the next push finds, and no name.
 */
export async function pushImage(repository: Repository, image: Image, options: PushOptions): Promise<PushedImage> {
  const [pushed, configBytes] = await whenBoth(
    pushLayers(repository, image.layers, options),
    pushBytes(repository, image.configBytes, image.manifest.config),
  );
  const sent = { layers: 0, bytes: configBytes };
  for (const { bytes } of pushed) {
    sent.bytes += bytes;
    if (bytes > 0) sent.layers += 1;
  }
  const manifest: Manifest = { ...image.manifest, layers: pushed.map(({ descriptor }) => descriptor) };
  const manifestBytes = formatCanonical(manifest);
  const descriptor = { mediaType: manifest.mediaType, digest: digestOf(manifestBytes), size: manifestBytes.length };
  if (sent.bytes > 0 || (await repository.headManifest(descriptor.digest)) === undefined) {
    await repository.writeManifest(descriptor.digest, manifestBytes, manifest.mediaType);
    sent.bytes += manifestBytes.length;
  }
  return { manifest, manifestBytes, descriptor, layersSent: sent.layers, bytesSent: sent.bytes };
}

/** Sends a small blob unless it exists. Returns the number of sent bytes. */
export async function pushBytes(repository: Repository, bytes: Buffer, descriptor: Descriptor): Promise<number> {
  if ((await repository.headBlob(descriptor.digest)) === descriptor.size) return 0;
  await repository.writeBlob(descriptor, (offset) => [bytes.subarray(offset)]);
  return bytes.length;
}

/** Layer as the registry has it now, and the number of bytes sent for it. */
interface PushedLayer {
  descriptor: Descriptor;
  bytes: number;
}

/** Asks first, at the same time, for all layers with a known digest. */
async function pushLayers(repository: Repository, all: Layer[], options: PushOptions): Promise<PushedLayer[]> {
  if (all.some(({ diffId }) => !options.known.has(diffId) && options.layers.find(diffId) === undefined))
    options.layers.prepare();
  const found = await mapInOrder(all, questionsAtOnce, (layer) => findLayer(repository, layer, options));
  return mapInOrder(all, layersAtOnce, async (layer, index) => {
    const descriptor = found[index];
    return descriptor === undefined ? await pushLayer(repository, layer, options) : { descriptor, bytes: 0 };
  });
}

/**
 * Finds a layer that the registry has, or can take from another of its repositories; undefined where it must be sent.
 */
async function findLayer(
  repository: Repository,
  { diffId }: Layer,
  { known, layers }: PushOptions,
): Promise<Descriptor | undefined> {
  const elsewhere = known.get(diffId);
  const expected = elsewhere === undefined ? layers.find(diffId) : plainOf(elsewhere.descriptor);
  if (expected === undefined) return undefined;
  if ((await repository.headBlob(expected.digest)) === expected.size) return expected;
  const isNear = elsewhere?.from.registry === repository.registry;
  return isNear && (await repository.mountBlob(expected.digest, elsewhere.from.path)) ? expected : undefined;
}

async function pushLayer(repository: Repository, layer: Layer, options: PushOptions): Promise<PushedLayer> {
  const { layers, known, signal, onProgress } = options;
  const elsewhere = known.get(layer.diffId);
  if (elsewhere !== undefined) return copyLayer(repository, layer, elsewhere, options);
  const noted = layers.find(layer.diffId);
  const name = layer.createdBy;
  const tell = (what: string, size: number) => (count: number) => onProgress({ layer: what, count, size });
  const isNew = layer.size > worthStreaming && (noted !== undefined || !(await options.mayHave(layer.diffId)));
  const streamed = isNew
    ? await repository.streamBlob(layers.stream(layer, tell(name, layer.size), signal))
    : { broken: undefined };
  if ('descriptor' in streamed) return { descriptor: streamed.descriptor, bytes: streamed.descriptor.size };
  const compressed = await layers.compress(layer, tell(`compressing ${name}`, layer.size), signal);
  try {
    const { descriptor } = compressed;
    const { broken } = streamed;
    // A streamed layer is checked too: only its answer may have been lost.
    if ((await repository.headBlob(descriptor.digest)) === descriptor.size)
      return { descriptor, bytes: isNew ? descriptor.size : 0 };
    await repository.writeBlob(descriptor, compressed.open, {
      onBytes: tell(name, descriptor.size),
      ...(broken && { broken }),
    });
    return { descriptor, bytes: descriptor.size };
  } finally {
    compressed.discard();
  }
}

/** Copies from the registry that has it, without an engine and without this machine's disk. */
async function copyLayer(
  repository: Repository,
  { createdBy }: Layer,
  { descriptor, from }: KnownLayer,
  { onProgress }: PushOptions,
): Promise<PushedLayer> {
  const plain = plainOf(descriptor);
  await repository.writeBlob(plain, (offset) => skipBytes(from.readBlob(plain), offset), {
    onBytes: (count) => onProgress({ layer: createdBy, count, size: plain.size }),
  });
  return { descriptor: plain, bytes: plain.size };
}

async function* skipBytes(chunks: AsyncIterable<Buffer>, offset: number): AsyncGenerator<Buffer> {
  let left = offset;
  for await (const chunk of chunks) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** Translates media types: Docker has its own names for the same bytes, and an OCI manifest needs OCI's. */
function plainOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType: plainTypes[mediaType] ?? mediaType, digest, size };
}

const plainTypes: Record<string, string> = {
  'application/vnd.docker.image.rootfs.diff.tar.gzip': mediaTypes.layerGzip,
  'application/vnd.docker.image.rootfs.diff.tar.zstd': mediaTypes.layerZstd,
  'application/vnd.docker.image.rootfs.diff.tar': mediaTypes.layer,
};
