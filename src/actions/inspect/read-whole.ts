import type { Image } from '../../oci/image/image.ts';

/** Reads an image's layers; a failure on the way is told as damage where a layer is not what its digest says. */
export async function readOrFindDamage<T>(image: Image, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    // Damage looks like a broken archive at first; reading to the end names the blob.
    for (const layer of image.layers) for (const _ of layer.chunks());
    throw thrown;
  }
}
