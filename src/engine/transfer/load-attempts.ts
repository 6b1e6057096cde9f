import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';
import { archiveChunks } from '../../oci/image/archive.ts';
import type { Image } from '../../oci/image/image.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import type { Engine } from '../engine.ts';

export interface LoadResult {
  /** Id of the image on the engine: the config's digest, or the manifest's on a containerd store. */
  engineId: string;
  /** Number of layers that were sent; the engine had the others. */
  sent: number;
}

export interface LoadAttempts {
  /** Name of the image; an older image of this name loses it. */
  tag: string;
  /** Layers to send, fewest first: a store that refuses the image gets the next list. */
  attempts: readonly (readonly Layer[])[];
  stop: Stop;
}

/**
 * Loads an image under a name, and returns once the engine provably holds exactly this image, complete. A successful
 * load alone proves nothing. On failure the name is removed.
 *
 * @throws GbuildError `engine-failed`, or the stop's reason
 */
export async function loadWhole(
  engine: Engine,
  image: Image,
  { tag, attempts, stop }: LoadAttempts,
): Promise<LoadResult> {
  for (const [index, layers] of attempts.entries()) {
    try {
      return await loadOnce(engine, image, layers, { tag, stop });
    } catch (error) {
      await dropBroken(engine, image, tag).catch(() => undefined);
      stop.ask.throwIfAborted();
      if (index === attempts.length - 1) throw error;
    }
  }
  throw new GbuildError('bug', `no layers were given to load ${tag} with`);
}

async function loadOnce(
  engine: Engine,
  image: Image,
  layers: readonly Layer[],
  { tag, stop }: Pick<LoadAttempts, 'tag' | 'stop'>,
): Promise<LoadResult> {
  await engine.loadArchive(archiveChunks(image, { layers, tags: [tag] }), { stop });
  const loaded = await engine.inspectImage(tag);
  const isRight =
    loaded !== undefined &&
    (loaded.id === image.id || loaded.id === image.manifestDigest) &&
    loaded.diffIds.join() === image.config.rootfs.diff_ids.join();
  if (isRight && (await isListed(engine, tag))) return { engineId: loaded.id, sent: layers.length };
  await engine.removeImage(tag);
  throw new GbuildError(
    'engine-failed',
    `${engine.endpoint.url} loaded the image as ${loaded?.id ?? 'nothing'}${isRight ? ', without its base' : `, but it is ${image.id}`}; nothing was tagged`,
    { suggestions: ['try again', 'gbuild doctor'], facts: { expected: image.id, loaded: loaded?.id } },
  );
}

/**
 * Removes the name. containerd's store keeps the name of an image that it could not unpack. A name on another image
 * stays.
 */
async function dropBroken(engine: Engine, image: Image, tag: string): Promise<void> {
  const found = await engine.inspectImage(tag);
  if (found?.id === image.id || found?.id === image.manifestDigest) await engine.removeImage(tag);
}

/**
 * Whether the image is listed. containerd's store accepts and inspects an image with missing layers; only its list
 * leaves such an image out.
 */
export async function isListed(engine: Engine, tag: string): Promise<boolean> {
  const { containerdStore } = await engine.info();
  return !containerdStore || (await engine.listImages({ reference: tag })).length > 0;
}
