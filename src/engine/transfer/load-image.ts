import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';
import type { Image } from '../../oci/image/image.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import type { Engine } from '../engine.ts';
import { isListed, type LoadResult, loadWhole } from './load-attempts.ts';

export interface LoadOptions {
  /** Images of this repository may have layers that need not be sent. */
  repository: string;
  /** Image of which that is already known. */
  below?: string | undefined;
  /** Layers of the base, where they can be read, for an engine that lacks them. */
  baseLayers?: readonly Layer[] | undefined;
  stop: Stop;
}

/** Number of images of the same name to check for layers that the engine already has. */
const mostNeighbours = 8;

/**
 * Loads an image under a staging name with only the layers that the engine lacks. Returns once the engine provably
 * holds exactly this image. The caller names it and then removes the staging name with `dropStaging`.
 */
export async function loadImage(engine: Engine, image: Image, options: LoadOptions): Promise<LoadResult> {
  const { stop, baseLayers = [] } = options;
  const [there, known] = await Promise.all([findLoaded(engine, image), countKnownLayers(engine, image, options)]);
  if (there !== undefined && (await keepUnderStaging(engine, image, there))) return { engineId: there, sent: 0 };
  const { layers } = image;
  const attempts = [layers.slice(known)];
  // A store that lost a layer, or that needs all of them, gets them before the load counts as failed.
  if (baseLayers.length > 0) attempts.push([...baseLayers, ...layers]);
  else if (known > 0) attempts.push(layers);
  return loadWhole(engine, image, { tag: stagingName(engine, image), attempts, stop });
}

export function dropStaging(engine: Engine, image: Image): Promise<void> {
  return engine.removeImage(stagingName(engine, image));
}

/** Gives an existing image a staging name: another run may remove its last name. Returns false where one just has. */
async function keepUnderStaging(engine: Engine, image: Image, engineId: string): Promise<boolean> {
  try {
    await engine.tagImage(engineId, stagingName(engine, image));
    return true;
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'image-missing') return false;
    throw thrown;
  }
}

/** Returns the image's id on the engine. An image without a name may have lost layers, and is loaded again. */
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
 * Counts the layers from the bottom that an image of the same name on the engine has too. A classic store knows a layer
 * only together with all layers below it, so the first difference ends the count.
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
