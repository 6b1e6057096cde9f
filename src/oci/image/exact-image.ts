import { digestOf } from '../digest.ts';
import { formatCanonical } from '../json.ts';
import type { Layer } from '../layer/layer.ts';
import { type Manifest, mediaTypes } from '../spec.ts';
import type { Image } from './image.ts';

/** Builds the image of a foreign config, kept byte for byte, with all its layers by value, lowest first. */
export function exactImage({ config, configBytes }: Pick<Image, 'config' | 'configBytes'>, layers: Layer[]): Image {
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
