import type { Digest } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import { type RemoteImage, readLayer } from '../registry/pull-image.ts';
import { refuseRelease } from './refuse-release.ts';

/** The same image is the same release, however its layers were compressed; another one is refused with what differs. */
export async function assertSameRelease(reference: string, standing: RemoteImage, image: Image): Promise<void> {
  const { manifest, config, repository } = standing;
  if (manifest.config.digest === image.id) return;
  const layers = new Map(config.rootfs.diff_ids.map((diffId, index) => [diffId, manifest.layers[index]]));
  const read = (diffId: Digest) => {
    const layer = layers.get(diffId);
    return layer && readLayer(repository, layer);
  };
  const released = { id: manifest.config.digest, where: `in ${repository.registry}`, config, readLayer: read };
  await refuseRelease(reference, released, image);
}
