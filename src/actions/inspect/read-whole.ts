import type { Image } from '../../oci/image/image.ts';

/** Reads an image's layers. A failure is reported as damage where a layer does not match its digest. */
export async function readOrFindDamage<T>(image: Image, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    // Damage first looks like a broken archive; reading to the end names the blob.
    for (const layer of image.layers) for (const _ of layer.chunks());
    throw thrown;
  }
}
