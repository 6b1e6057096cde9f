import { createReadStream } from 'node:fs';
import type { Engine } from '../engine/engine.ts';
import { writeImage } from '../oci/copy.ts';
import type { Digest } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import type { Layout } from '../oci/layout.ts';
import type { ImagePlan } from '../plan/image-plan.ts';
import { dropStaging, loadImage } from './load-image.ts';
import type { ImageRequest } from './make-image.ts';
import { type ReleasedImage, refuseRelease } from './refuse-release.ts';
import { findImage, nameImage, type StoredImage } from './release-store.ts';

export interface Published {
  /** What the engine calls the image. */
  engineId: string;
  alreadyReleased: boolean;
  /** Layers that were sent to the engine. */
  layersSent: number;
}

/** Loads the image and names it; a release also enters the store, whose index decides who was first. */
export async function publishImage(
  request: ImageRequest,
  plan: ImagePlan,
  image: Image,
  store: Layout,
): Promise<Published> {
  const { engine, progress, stop } = request;
  const alreadyReleased = plan.version !== undefined && (await assertFree(engine, plan, image, store));
  if (plan.version !== undefined)
    await progress.step('keeping it in the release store', () => writeImage(store, image));
  const loaded = await progress.step('loading', () => loadImage(engine, image, plan.repository, stop));
  stop.ask.throwIfAborted();
  if (plan.version !== undefined) await claimRelease(plan, image, store);
  for (const tag of [plan.tag, ...request.tags]) await engine.tagImage(loaded.engineId, `${plan.repository}:${tag}`);
  await dropStaging(engine, image);
  return { engineId: loaded.engineId, alreadyReleased, layersSent: loaded.sent };
}

/** Whether this very image has the version already; refused where another one has it, in the store or on the engine. */
async function assertFree(engine: Engine, plan: ImagePlan, image: Image, store: Layout): Promise<boolean> {
  const stored = await findImage(store, plan.reference);
  if (stored !== undefined && stored.descriptor.digest !== image.manifestDigest) {
    await refuseRelease(plan.reference, releasedInStore(stored, store), image);
  }
  const onEngine = await engine.inspectImage(plan.reference);
  if (onEngine !== undefined && onEngine.id !== image.id && onEngine.id !== image.manifestDigest) {
    await refuseRelease(plan.reference, { id: onEngine.id }, image);
  }
  return stored !== undefined;
}

/** The first to name the version in the store has it; whoever comes second with another image is refused. */
async function claimRelease(plan: ImagePlan, image: Image, store: Layout): Promise<void> {
  const standing = await nameImage(store, image, plan.reference, {
    'org.opencontainers.image.version': plan.tag,
    'org.opencontainers.image.created': plan.created,
  });
  if (standing === image.manifestDigest) return;
  const stored = await findImage(store, plan.reference);
  await refuseRelease(plan.reference, stored === undefined ? { id: standing } : releasedInStore(stored, store), image);
}

function releasedInStore({ manifest, config }: StoredImage, store: Layout): ReleasedImage {
  return {
    id: manifest.config.digest,
    config,
    readLayer: (diffId: Digest) => (store.hasBlob(diffId) ? createReadStream(store.blobFile(diffId)) : undefined),
  };
}
