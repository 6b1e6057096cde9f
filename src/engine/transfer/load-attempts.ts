import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';
import { archiveChunks } from '../../oci/image/archive.ts';
import type { Image } from '../../oci/image/image.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import type { Engine } from '../engine.ts';

export interface LoadResult {
  /** Id of the image on the engine: the config's digest, or the manifest's on a containerd store. */
  engineId: string;
  /** Layers that had to be sent; the engine had the others. */
  sent: number;
}

export interface LoadAttempts {
  /** The image's name; one that had it before loses it. */
  tag: string;
  /** Layers to carry, fewest first: a store that does not take the image so is given the next. */
  attempts: readonly (readonly Layer[])[];
  stop: Stop;
}

/**
 * Brings an image to the engine under a name, and answers once the engine has been seen to hold exactly this image, whole: that
 * a load succeeded proves nothing. Where it does not, the name is gone.
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

/** containerd's store keeps the name of an image that it could not unpack. What bears the name otherwise is not ours to drop. */
async function dropBroken(engine: Engine, image: Image, tag: string): Promise<void> {
  const found = await engine.inspectImage(tag);
  if (found?.id === image.id || found?.id === image.manifestDigest) await engine.removeImage(tag);
}

/** containerd's store takes, and inspects, an image of which layers are missing; only its list leaves that out. */
export async function isListed(engine: Engine, tag: string): Promise<boolean> {
  const { containerdStore } = await engine.info();
  return !containerdStore || (await engine.listImages({ reference: tag })).length > 0;
}
