import { createReadStream } from 'node:fs';
import type { Engine, EngineImage } from '../../engine/engine.ts';
import { dropStaging, loadImage } from '../../engine/transfer/load-image.ts';
import { GbuildError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Image } from '../../oci/image/image.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import { findLayer, mendLayers } from '../../oci/layout/copy.ts';
import { gatherImages, type ImageSet, writeSet } from '../../oci/layout/image-set.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import { annotationKeys } from '../../oci/spec.ts';
import type { ImagePlan } from '../../plan/image-plan.ts';
import { formatDigest } from '../../reporter/format.ts';
import { factsAnnotation, type ReleaseFacts } from '../image/facts.ts';
import type { PackedImage } from '../image/pack.ts';
import { type ReleasedImage, refuseSet } from '../store/conflict.ts';
import { type FoundHere, findRelease } from '../store/find-release.ts';
import { nameSet } from '../store/store.ts';
import type { MakeImageRequest } from './make-image-request.ts';

export interface Published {
  /** Id of the image on the engine. */
  engineId: string;
  alreadyReleased: boolean;
  /** Number of layers that were sent to the engine. */
  layersSent: number;
}

export type PublishRequest = Pick<MakeImageRequest, 'engine' | 'progress' | 'stop' | 'tags'>;

/** Names that an image gets. */
export type NamePlan = Pick<ImagePlan, 'repository' | 'version' | 'tag' | 'reference' | 'created'>;

/** Packed image with those for other platforms, which no engine gets. */
export interface PackedSet extends PackedImage {
  set: ImageSet;
}

export interface PublishOptions {
  store: Layout;
  facts: ReleaseFacts | undefined;
  /** Starts the image by its id on the engine, before it has a name; throws where it is not healthy. */
  tryIt?: (engineId: string) => Promise<void>;
}

/** Loads the image and names it. A release also enters the store, whose index decides which image was first. */
export async function publishImage(
  request: PublishRequest,
  plan: NamePlan,
  packed: PackedSet,
  { store, facts, tryIt }: PublishOptions,
): Promise<Published> {
  const { engine, progress, stop } = request;
  const { image, set } = packed;
  const isNamed = plan.version !== undefined && (await assertFree(engine, plan, packed, store));
  const written =
    plan.version === undefined
      ? { believed: [], blobs: 0 }
      : await progress.step('saving to the release store', () => writeSet(store, set));
  const mending = mendLayers(store, written.believed);
  // Awaited when the name is given; an earlier failure takes precedence.
  mending.catch(() => undefined);
  try {
    const loaded = await progress.step('loading', () =>
      loadImage(engine, image, {
        repository: plan.repository,
        below: packed.below,
        baseLayers: listBaseLayers(store, image),
        stop,
      }),
    );
    packed.remember(loaded.engineId);
    stop.ask.throwIfAborted();
    if (!isNamed) await tryIt?.(loaded.engineId);
    const mended = (await mending).length + (isNamed ? written.blobs : 0);
    if (plan.version !== undefined) await claimRelease(plan, set, store, facts);
    for (const tag of [plan.tag, ...request.tags]) await moveTag(engine, loaded.engineId, `${plan.repository}:${tag}`);
    if (plan.version !== undefined) await keepTags(store, set, plan.repository, request.tags);
    if (mended > 0) progress.note(`${countOf(mended)} in the release store had been damaged: written again`);
    return { engineId: loaded.engineId, alreadyReleased: isNamed && mended === 0, layersSent: loaded.sent };
  } catch (error) {
    packed.forget();
    throw error;
  } finally {
    // A failure to drop the staging name must not hide the real error; a later run sweeps the name.
    await dropStaging(engine, image).catch(() => undefined);
  }
}

/** Lists the base's layers in the store. Empty where the store lost one: only the engine has them then. */
function listBaseLayers(store: Layout, { baseDiffIds }: Image): Layer[] {
  const layers = baseDiffIds.map((diffId) => findLayer(store, diffId));
  return layers.every((layer) => layer !== undefined) ? layers : [];
}

function countOf(blobs: number): string {
  return blobs === 1 ? 'a blob' : `${blobs} blobs`;
}

/** Records in the store which release a tag means, so that its blobs stay. */
async function keepTags(store: Layout, { descriptor }: ImageSet, repository: string, tags: string[]): Promise<void> {
  for (const tag of tags) {
    const annotations = { [annotationKeys.refName]: `${repository}:${tag}` };
    await store.putManifest({ ...descriptor, annotations });
  }
}

/**
 * Names the image. The image that had the name before is removed if it is gbuild's and has no other name, unless a
 * container needs it.
 */
async function moveTag(engine: Engine, engineId: string, reference: string): Promise<void> {
  const before = await engine.inspectImage(reference);
  if (before?.id === engineId) return;
  await engine.tagImage(engineId, reference);
  if (before?.tags.length === 1 && before.config.Labels?.['io.gbuild.toolchain'] !== undefined) {
    await engine.removeImage(before.id).catch(() => undefined);
  }
}

/**
 * Returns whether this image already has the version. Throws where another image has it, in the store or on the engine.
 */
async function assertFree(engine: Engine, plan: NamePlan, { image, set }: PackedSet, store: Layout): Promise<boolean> {
  // The same image is not read: its damaged blobs are written again.
  const standing = await store.findManifest(plan.reference);
  if (standing !== undefined && standing.digest !== set.descriptor.digest)
    await refuseSet(plan.reference, releasedHere(await readReleased(plan, store, standing.digest)), set);
  const onEngine = await engine.inspectImage(plan.reference);
  if (onEngine !== undefined && onEngine.id !== image.id && onEngine.id !== image.manifestDigest) {
    if (standing !== undefined) throw movedOnEngine(engine, plan, onEngine.id, image);
    await refuseSet(plan.reference, [seenOnEngine(engine, onEngine)], gatherImages([image]));
  }
  return standing !== undefined;
}

/** Reports that the release's name on the engine was given to another image; the store has the right one. */
function movedOnEngine(engine: Engine, { reference }: NamePlan, found: string, image: Image): GbuildError {
  return new GbuildError(
    'release-refused',
    `${reference} on ${engine.endpoint.url} is ${formatDigest(found)}, but ${formatDigest(image.id)} was released under this name: somebody moved it`,
    {
      suggestions: [`docker rmi ${reference}   # then run the release again`],
      facts: { reference, released: image.id, found, endpoint: engine.endpoint.url },
    },
  );
}

function seenOnEngine(engine: Engine, found: EngineImage): ReleasedImage {
  const { id, created, architecture, os, config, diffIds } = found;
  const rootfs = { type: 'layers' as const, diff_ids: diffIds as Digest[] };
  return {
    id,
    where: `on ${engine.endpoint.url}, not by this store`,
    config: { created, architecture, os, config, rootfs },
  };
}

/** Claims the version in the store: the first image gets it, and another one is refused. */
async function claimRelease(
  plan: NamePlan,
  set: ImageSet,
  store: Layout,
  facts: ReleaseFacts | undefined,
): Promise<void> {
  const standing = await nameSet(store, set, plan.reference, {
    'org.opencontainers.image.version': plan.tag,
    'org.opencontainers.image.created': plan.created,
    ...(facts !== undefined && { [factsAnnotation]: JSON.stringify(facts) }),
  });
  if (standing === set.descriptor.digest) return;
  await refuseSet(plan.reference, releasedHere(await readReleased(plan, store, standing)), set);
}

async function readReleased(
  { repository, tag, reference }: NamePlan,
  store: Layout,
  digest: string,
): Promise<FoundHere> {
  const found = await findRelease({ name: repository, version: tag, store });
  if (found !== undefined) return found;
  throw new GbuildError('store-failed', `${store.dir} lost ${reference} (${digest})`);
}

function releasedHere({ images, store }: FoundHere): ReleasedImage[] {
  const readLayer = (diffId: Digest) => (store.hasBlob(diffId) ? createReadStream(store.blobFile(diffId)) : undefined);
  return images.map(({ manifest, config }) => {
    return { id: manifest.config.digest, where: 'in the release store', config, readLayer };
  });
}
