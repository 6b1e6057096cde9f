import { ownerText } from '../../../fs/process-owner.ts';
import { withTempDir } from '../../../fs/temp-dir.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Image } from '../../../oci/image/image.ts';
import { findWholeLayers, mendLayers, writeImage } from '../../../oci/layout/copy.ts';
import { pullImage, type RemoteImage } from '../../../registry/image/pull-image.ts';
import { formatBytes, formatDigest } from '../../../reporter/format.ts';
import { nameImage } from '../../store/store.ts';
import { findBase, type KnownBase, nameOfBase, type ReadBaseInput } from './read-base.ts';

export interface KeepOptions {
  /** Id that an engine would give the base. */
  id: Digest;
  /** Title of the progress step while the base is copied. */
  title: string;
  /** Throws where the image is not the wanted one. */
  check?: (image: Image) => void;
}

/**
 * Copies an image from a registry to the store as a base, with every byte checked. A base that the store already has is
 * not read again.
 */
export async function keepBase(
  remote: RemoteImage,
  { id, title, check = () => {} }: KeepOptions,
  { store, host, engine, progress, stop }: ReadBaseInput,
): Promise<KnownBase> {
  const known = await findBase(store, id);
  if (known !== undefined) return known;
  await progress.step(title, (step) =>
    withTempDir(host, `${ownerText(engine.owner)}.${formatDigest(id)}`, async (tempDir) => {
      const whole = await findWholeLayers(store, remote.config.rootfs.diff_ids);
      const image = await pullImage(remote, {
        tempDir,
        find: (diffId) => whole.get(diffId),
        onProgress: ({ received, size }) => step.update(`${formatBytes(received)} of ${formatBytes(size)}`),
      });
      stop.ask.throwIfAborted();
      check(image);
      await mendLayers(store, (await writeImage(store, image)).believed);
      await nameImage(store, image, nameOfBase(id), {});
    }),
  );
  return (await findBase(store, id))!;
}
