import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';
import type { Image } from '../../oci/image/image.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import type { Engine } from '../engine.ts';
import { isListed, type LoadResult, loadWhole } from './load-attempts.ts';

export interface LoadOptions {
  /** Images of this name are looked at for layers that need not be sent. */
  repository: string;
  /** An image of which that is known already. */
  below?: string | undefined;
  /** The layers of the base, where somebody has them, for an engine that does not. */
  baseLayers?: readonly Layer[] | undefined;
  stop: Stop;
}

/** How many images of the same name are looked at for layers that the engine has already. */
const mostNeighbours = 8;

/**
 * Brings an image to the engine under a staging name, carrying only the layers that it lacks, and answers once the engine
 * has been seen to hold exactly this image. The caller names it and then drops the staging name with `dropStaging`.
 */
export async function loadImage(engine: Engine, image: Image, options: LoadOptions): Promise<LoadResult> {
  const { stop, baseLayers = [] } = options;
  const [there, known] = await Promise.all([findLoaded(engine, image), countKnownLayers(engine, image, options)]);
  if (there !== undefined && (await keepUnderStaging(engine, image, there))) return { engineId: there, sent: 0 };
  const { layers } = image;
  const attempts = [layers.slice(known)];
  // A store that lost a layer, or one that wants all of them, gets them before it is called a failure.
  if (baseLayers.length > 0) attempts.push([...baseLayers, ...layers]);
  else if (known > 0) attempts.push(layers);
  return loadWhole(engine, image, { tag: stagingName(engine, image), attempts, stop });
}

export function dropStaging(engine: Engine, image: Image): Promise<void> {
  return engine.removeImage(stagingName(engine, image));
}

/** Gives an image that is there our own name: another run may take its last one away. False where one just has. */
async function keepUnderStaging(engine: Engine, image: Image, engineId: string): Promise<boolean> {
  try {
    await engine.tagImage(engineId, stagingName(engine, image));
    return true;
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'image-missing') return false;
    throw thrown;
  }
}

/** Its id on the engine; an image without a name may have lost layers, and is loaded anew. */
async function findLoaded(engine: Engine, image: Image): Promise<string | undefined> {
  const found = await Promise.all([image.id, image.manifestDigest].map((id) => engine.inspectImage(id)));
  const expected = image.config.rootfs.diff_ids.join();
  const there = found.find((each) => each?.diffIds.join() === expected);
  if (there === undefined) return undefined;
  const [tag] = there.tags;
  const { containerdStore } = await engine.info();
  const isWhole = !containerdStore || (tag !== undefined && (await isListed(engine, tag)));
  return isWhole ? there.id : undefined;
}

/**
 * How many of our layers, from the bottom, some image of the same name on the engine has too. A classic store knows a layer
 * only together with all below it, so the first difference ends the count.
 */
async function countKnownLayers(engine: Engine, image: Image, { repository, below }: LoadOptions): Promise<number> {
  const wanted = image.config.rootfs.diff_ids;
  const neighbours = (await engine.listImages({ reference: repository })).slice(0, mostNeighbours);
  const ids = new Set([...(below === undefined ? [] : [below]), ...neighbours.map(({ id }) => id)]);
  const found = await Promise.all([...ids].map((id) => engine.inspectImage(id)));
  let most = 0;
  for (const neighbour of found) {
    let same = 0;
    while (same < wanted.length && neighbour?.diffIds[same] === wanted[same]) same += 1;
    most = Math.max(most, same);
  }
  return Math.max(0, most - image.baseDiffIds.length);
}

function stagingName(engine: Engine, image: Image): string {
  return engine.stagingReference(image.id.slice('sha256:'.length, 'sha256:'.length + 12));
}
