import { type Digest, digestOf } from '../../../oci/digest.ts';
import { formatCanonical } from '../../../oci/json.ts';
import { type ImageConfig, type Manifest, mediaTypes } from '../../../oci/spec.ts';

/** Bytes that may belong to a damaged blob. */
export interface Offer {
  size: number;
  chunks: () => Iterable<Uint8Array>;
}

export interface OfferedImage {
  config: ImageConfig;
  configBytes: Buffer;
  /** Layers in the order of the config's diffIDs. */
  layers: readonly (Offer & { diffId: Digest })[];
  /** Labels that the image inherited from its base. */
  baseLabels?: Record<string, string>;
}

/**
 * Lists by digest the blobs that an image from another source offers: layers, config, and the manifest as gbuild writes
 * it.
 */
export function offerBlobs({
  config: { config },
  configBytes,
  layers,
  baseLabels = {},
}: OfferedImage): Map<Digest, Offer> {
  const offered = new Map<Digest, Offer>(layers.map((layer) => [layer.diffId, layer]));
  const add = (bytes: Buffer) => offered.set(digestOf(bytes), { size: bytes.length, chunks: () => [bytes] });
  add(configBytes);
  for (const annotations of guessAnnotations(config.Labels ?? {}, baseLabels))
    add(formatManifest(configBytes, layers, annotations));
  return offered;
}

/** extendImage gives the manifest the labels that it adds. A label that the base has too may come from either. */
function guessAnnotations(labels: Record<string, string>, baseLabels: Record<string, string>) {
  const isAdded = ([key, value]: [string, string]) => baseLabels[key] !== value;
  const isOurs = ([key]: [string, string]) => /^(org\.opencontainers\.image|io\.gbuild)\./.test(key);
  const all = Object.entries(labels);
  const guesses = [[], all, all.filter(isAdded), all.filter((label) => isAdded(label) || isOurs(label))];
  return guesses.map((guess) => Object.fromEntries(guess));
}

/** Formats the manifest as oci/image/image.ts and oci/image/exact-image.ts write it. */
function formatManifest(
  configBytes: Buffer,
  layers: OfferedImage['layers'],
  annotations: Record<string, string>,
): Buffer {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(configBytes), size: configBytes.length },
    layers: layers.map(({ diffId, size }) => ({ mediaType: mediaTypes.layer, digest: diffId, size })),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
  return formatCanonical(manifest);
}
