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
  /** Layers that were sent to the engine. */
  layersSent: number;
}

export type PublishRequest = Pick<MakeImageRequest, 'engine' | 'progress' | 'stop' | 'tags'>;

/** Names that an image gets. */
export type NamePlan = Pick<ImagePlan, 'repository' | 'version' | 'tag' | 'reference' | 'created'>;

/** A packed image, and with it those for other platforms, which no engine gets. */
export interface PackedSet extends PackedImage {
  set: ImageSet;
}

export interface PublishOptions {
  store: Layout;
  facts: ReleaseFacts | undefined;
  /** Starts an image that has no name yet, by what the engine calls it; throws where it is not well. */
  tryIt?: (engineId: string) => Promise<void>;
}

/** Loads the image and names it; a release also enters the store, whose index decides who was first. */
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
  // Awaited where the name is given; what goes wrong before is told first.
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
    // A staging name that could not be dropped is swept by a later run; it must not hide what went wrong here.
    await dropStaging(engine, image).catch(() => undefined);
  }
}

/** The base's layers as the store has them; none where it lost one, and they are the engine's alone. */
function listBaseLayers(store: Layout, { baseDiffIds }: Image): Layer[] {
  const layers = baseDiffIds.map((diffId) => findLayer(store, diffId));
  return layers.every((layer) => layer !== undefined) ? layers : [];
}

function countOf(blobs: number): string {
  return blobs === 1 ? 'a blob' : `${blobs} blobs`;
}

/** The store knows what a tag of a release means, so that what it needs stays. */
async function keepTags(store: Layout, { descriptor }: ImageSet, repository: string, tags: string[]): Promise<void> {
  for (const tag of tags) {
    const annotations = { [annotationKeys.refName]: `${repository}:${tag}` };
    await store.putManifest({ ...descriptor, annotations });
  }
}

/** Names the image. Of ours, one that had no other name is of no use any more and goes, unless a container needs it. */
async function moveTag(engine: Engine, engineId: string, reference: string): Promise<void> {
  const before = await engine.inspectImage(reference);
  if (before?.id === engineId) return;
  await engine.tagImage(engineId, reference);
  if (before?.tags.length === 1 && before.config.Labels?.['io.gbuild.toolchain'] !== undefined) {
    await engine.removeImage(before.id).catch(() => undefined);
  }
}

/** Whether this very image has the version already; refused where another one has it, in the store or on the engine. */
async function assertFree(engine: Engine, plan: NamePlan, { image, set }: PackedSet, store: Layout): Promise<boolean> {
  // The same image is not read: what is damaged of it is written again.
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

/** The store has this very image as the release; someone gave its name on the engine to another one. */
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

/** The first to name the version in the store has it; whoever comes second with another image is refused. */
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
