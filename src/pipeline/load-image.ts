import type { Engine } from '../engine/engine.ts';
import { GbuildError } from '../errors.ts';
import type { Stop } from '../host.ts';
import { archiveChunks } from '../oci/archive.ts';
import type { Image } from '../oci/image.ts';

export interface LoadResult {
  /** What the engine calls the image: the config's digest, or the manifest's on a containerd store. */
  engineId: string;
  /** Layers that had to be sent; the engine had the others. */
  sent: number;
}

export interface LoadOptions {
  /** Images of this name are looked at for layers that need not be sent. */
  repository: string;
  /** An image of which that is known already. */
  below?: string | undefined;
  stop: Stop;
}

/** How many images of the same name are looked at for layers that the engine has already. */
const mostNeighbours = 8;

/**
 * Brings an image to the engine under a staging name, carrying only the layers that it lacks, and answers once the engine
 * has been seen to hold exactly this image. The caller names it and then drops the staging name with `dropStaging`.
 */
export async function loadImage(engine: Engine, image: Image, options: LoadOptions): Promise<LoadResult> {
  const { stop } = options;
  const [there, known] = await Promise.all([findLoaded(engine, image), countKnownLayers(engine, image, options)]);
  if (there !== undefined) return { engineId: there, sent: 0 };
  try {
    return await load(engine, image, known, stop);
  } catch (error) {
    // A store that lost a layer, or one that wants all of them, gets all of ours before it is called a failure.
    if (known === 0 || stop.ask.aborted) throw error;
    return await load(engine, image, 0, stop);
  }
}

export function dropStaging(engine: Engine, image: Image): Promise<void> {
  return engine.removeImage(stagingName(engine, image));
}

async function load(engine: Engine, image: Image, known: number, stop: Stop): Promise<LoadResult> {
  const layers = image.layers.slice(known);
  const staging = stagingName(engine, image);
  await engine.loadArchive(archiveChunks(image, { layers, tags: [staging] }), { stop });
  const loaded = await engine.inspectImage(staging);
  const isRight =
    loaded !== undefined &&
    (loaded.id === image.id || loaded.id === image.manifestDigest) &&
    loaded.diffIds.join() === image.config.rootfs.diff_ids.join();
  if (isRight) return { engineId: loaded.id, sent: layers.length };
  await engine.removeImage(staging);
  throw new GbuildError(
    'engine-failed',
    `${engine.endpoint.url} loaded the image as ${loaded?.id ?? 'nothing'}, but it is ${image.id}; nothing was tagged`,
    { suggestions: ['try again', 'gbuild doctor'], facts: { expected: image.id, loaded: loaded?.id } },
  );
}

async function findLoaded(engine: Engine, image: Image): Promise<string | undefined> {
  const found = await Promise.all([image.id, image.manifestDigest].map((id) => engine.inspectImage(id)));
  const expected = image.config.rootfs.diff_ids.join();
  return found.find((each) => each?.diffIds.join() === expected)?.id;
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
