import type { Image } from '../../../oci/image/image.ts';
import { formatIndex, type ImageSet, isIndexed } from '../../../oci/layout/image-set.ts';
import type { PushedImage } from '../../../registry/image/push-image.ts';
import type { Repository } from '../../../registry/repository.ts';

/** Manifests that a registry has by digest only, before they are named. */
export interface PushedSet extends Pick<PushedImage, 'descriptor' | 'manifestBytes' | 'layersSent' | 'bytesSent'> {
  /** Images in the set's order. */
  images: Pick<PushedImage, 'descriptor' | 'manifest'>[];
}

/** Pushes each image, and after the last the index of them, where there are several. */
export async function pushSet(
  repository: Repository,
  set: ImageSet,
  push: (image: Image) => Promise<PushedImage>,
): Promise<PushedSet> {
  const images: PushedImage[] = [];
  for (const image of set.images) {
    images.push(await push(image));
  }
  const layersSent = images.reduce((sum, each) => sum + each.layersSent, 0);
  const bytesSent = images.reduce((sum, each) => sum + each.bytesSent, 0);
  if (!isIndexed(set)) return { ...images[0]!, images };
  const { bytes, descriptor } = formatIndex(images.map((each, at) => ({ ...each, config: set.images[at]!.config })));
  const isNew = (await repository.headManifest(descriptor.digest)) === undefined;
  if (isNew) await repository.writeManifest(descriptor.digest, bytes, descriptor.mediaType);
  const all = bytesSent + (isNew ? bytes.length : 0);
  return { descriptor, manifestBytes: bytes, images, layersSent, bytesSent: all };
}
