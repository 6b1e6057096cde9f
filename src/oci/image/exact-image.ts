import { digestOf } from '../digest.ts';
import { formatCanonical } from '../json.ts';
import type { Layer } from '../layer/layer.ts';
import { type ImageConfig, type Manifest, mediaTypes } from '../spec.ts';
import type { Image } from './image.ts';

/** The image of someone else's config, kept byte for byte, and all its layers by value, lowest first. */
export function exactImage(configBytes: Buffer, layers: Layer[]): Image {
  const parsed = JSON.parse(configBytes.toString()) as ImageConfig;
  // What a container runs may be left out.
  const config = { ...parsed, config: parsed.config ?? {} };
  const id = digestOf(configBytes);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: id, size: configBytes.length },
    layers: layers.map(({ diffId, size }) => ({ mediaType: mediaTypes.layer, digest: diffId, size })),
  };
  const manifestBytes = formatCanonical(manifest);
  return {
    config,
    configBytes,
    id,
    manifest,
    manifestBytes,
    manifestDigest: digestOf(manifestBytes),
    layers,
    baseDiffIds: [],
  };
}
