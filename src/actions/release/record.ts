import type { Image } from '../../oci/image/image.ts';
import { type ImageSet, isIndexed } from '../../oci/layout/image-set.ts';
import { nameOfPlatform } from '../../oci/platform.ts';
import type { ImagePlan } from '../../plan/image-plan.ts';
import type { ResolvedToolchain } from '../../toolchain/resolve/resolve.ts';
import type { Revision } from '../../workspace/commit/revision.ts';
import type { KnownBase } from '../image/base/read-base.ts';
import type { Published } from './load-and-name.ts';
import type { PushRecord } from './push/push.ts';

/** Result of `gbuild image --json`: everything about the image that was made. Sizes in bytes, uncompressed. */
export interface ImageRecord {
  reference: string;
  version?: string;
  /** Digest of the config: the same on every engine. */
  imageId: string;
  /** Digest of the manifest with uncompressed layers, as the release store holds it. */
  manifestDigest: string;
  /**
   * Digest of the index in the release store, where the image is for several platforms. The ids above belong to the
   * engine's platform.
   */
  indexDigest?: string;
  platforms?: { platform: string; imageId: string; manifestDigest: string }[];
  /** Id of the image on this engine. */
  engineId: string;
  alreadyReleased: boolean;
  commit?: string;
  /** Address that the repository was cloned from; no part of the image. */
  source?: string;
  dirty: boolean;
  created: string;
  lock?: string;
  toolchain: { request: string; name: string; version: string; recipe: string };
  base: { reference: string; imageId: string; manifestDigest: string; layers: number };
  /** Layers of the application, on top of the base's. */
  layers: { name: string; diffId: string; size: number }[];
  layersSent: number;
  /** Result of `--push`. */
  pushed?: PushRecord;
  /** Total size of the application's layers. */
  size: number;
  seconds: number;
}

interface RecordInput extends Published {
  plan: ImagePlan;
  image: Image;
  set: ImageSet;
  base: KnownBase;
  revision: Revision | undefined;
  toolchain: ResolvedToolchain;
  pushed?: PushRecord;
  seconds: number;
}

export function recordOf({ plan, image, set, base, revision, toolchain, ...rest }: RecordInput): ImageRecord {
  const layers = image.layers.map(({ createdBy, diffId, size }) => ({ name: createdBy, diffId, size }));
  const lock = plan.labels['io.gbuild.lock'];
  const { request, name, version, recipe } = toolchain;
  return {
    reference: plan.reference,
    ...(plan.version !== undefined && { version: plan.version }),
    imageId: image.id,
    manifestDigest: image.manifestDigest,
    ...(isIndexed(set) && { indexDigest: set.descriptor.digest, platforms: set.images.map(describePlatform) }),
    ...(revision !== undefined && { commit: revision.commit }),
    ...(revision?.sourceUrl !== undefined && { source: revision.sourceUrl }),
    dirty: (revision?.dirty.length ?? 0) > 0,
    created: plan.created,
    ...(lock !== undefined && { lock }),
    toolchain: { request, name, version, recipe },
    base: {
      reference: plan.base,
      imageId: base.engineId,
      manifestDigest: base.manifestDigest,
      layers: base.config.rootfs.diff_ids.length,
    },
    layers,
    size: layers.reduce((sum, layer) => sum + layer.size, 0),
    ...rest,
  };
}

function describePlatform({ config, id: imageId, manifestDigest }: Image) {
  return { platform: nameOfPlatform(config), imageId, manifestDigest };
}
