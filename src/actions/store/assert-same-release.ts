import type { Digest } from '../../oci/digest.ts';
import type { ImageSet } from '../../oci/layout/image-set.ts';
import { type RemoteImage, readLayer } from '../../registry/image/pull-image.ts';
import { type ReleasedImage, refuseSet } from './conflict.ts';
import { assertIndex, type RemoteSet } from './remote-set.ts';

/**
 * Asserts that the images are the same release, whatever the compression of their layers. Throws with the differences
 * otherwise.
 */
export async function assertSameRelease(reference: string, standing: RemoteSet, set: ImageSet): Promise<void> {
  const released = standing.images.map(releasedImage);
  const [before, now] = [released, set.images].map((images) => images.map(({ id }) => id).sort());
  if (before?.join() === now?.join()) return assertIndex(reference, standing);
  await refuseSet(reference, released, set);
}

function releasedImage({ manifest, config, repository }: RemoteImage): ReleasedImage {
  const layers = new Map(config.rootfs.diff_ids.map((diffId, index) => [diffId, manifest.layers[index]]));
  const readOne = (diffId: Digest) => {
    const layer = layers.get(diffId);
    return layer && readLayer(repository, layer);
  };
  return { id: manifest.config.digest, where: `in ${repository.registry}`, config, readLayer: readOne };
}
