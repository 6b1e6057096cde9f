import { GbuildError } from '../../../errors.ts';
import type { Image } from '../../../oci/image/image.ts';
import { findFirstDifference } from '../../../oci/layer/first-difference.ts';
import { type ImageSet, isIndexed } from '../../../oci/layout/image-set.ts';
import { nameOfPlatform } from '../../../oci/platform.ts';
import type { ImageConfig, Manifest } from '../../../oci/spec.ts';
import { asStream } from '../../../oci/stream/as-stream.ts';
import { type RemoteImage, readLayer } from '../../../registry/image/pull-image.ts';
import { formatDigest } from '../../../reporter/format.ts';
import { describeConfigs } from '../../store/conflict.ts';

/** Image of a release, from any place. */
export interface ComparedImage {
  config: ImageConfig;
  manifest: Manifest;
  /** Reads the tar of the layer at this index of the manifest. */
  readLayer: (at: number) => AsyncIterable<Uint8Array>;
}

export function releasedThere({ config, manifest, repository }: RemoteImage): ComparedImage {
  return { config, manifest, readLayer: (at) => readLayer(repository, manifest.layers[at]!) };
}

export function releasedHere({ config, manifest, layers }: Image): ComparedImage {
  return { config, manifest, readLayer: (at) => asStream(layers[at]!.chunks()) };
}

/** Throws `release-refused` unless the rebuilt image equals the released one for every platform. */
export async function assertSame(
  reference: string,
  images: readonly ComparedImage[],
  set: ImageSet,
  commit: string,
): Promise<void> {
  const released = new Map(images.map((image) => [nameOfPlatform(image.config), image]));
  const rebuilt = new Map(set.images.map((image) => [nameOfPlatform(image.config), image]));
  const [there, here] = [[...released.keys()].sort(), [...rebuilt.keys()].sort()];
  if (there.join() !== here.join()) throw otherPlatforms(reference, there, here, commit);
  for (const [platform, image] of rebuilt) {
    const before = released.get(platform)!;
    const name = isIndexed(set) ? `${reference} for ${platform}` : reference;
    if (image.id !== before.manifest.config.digest) throw await otherImage(name, before, image, commit);
  }
}

function otherPlatforms(reference: string, there: string[], here: string[], commit: string): GbuildError {
  return new GbuildError(
    'release-refused',
    `${reference} is for ${there.join(' and ')}, but ${commit.slice(0, 12)} gives ${here.join(' and ')}`,
    { suggestions: [`git show ${commit.slice(0, 12)}:gbuild.yml`], facts: { reference, there, here, commit } },
  );
}

/** Finds the first difference: a file and its byte in the lowest layer that differs, else a setting. */
async function otherImage(
  reference: string,
  { config, manifest, readLayer: read }: ComparedImage,
  image: Image,
  commit: string,
): Promise<GbuildError> {
  const at = image.layers.findIndex(({ diffId }, index) => diffId !== config.rootfs.diff_ids[index]);
  const layer = image.layers[at];
  const found =
    layer === undefined || manifest.layers[at] === undefined
      ? undefined
      : await findFirstDifference(read(at), asStream(layer.chunks()));
  const where =
    found === undefined
      ? describeConfigs(config, image.config).join('; ') || 'the number of layers, or times in the config'
      : `${layer?.createdBy}: ${found.path}: ${found.byte === undefined ? found.what.replace('the first', 'the release').replace('the second', 'the rebuilt image') : `byte ${found.byte}`}`;
  return new GbuildError(
    'release-refused',
    `${reference} is ${formatDigest(manifest.config.digest)}, but ${commit.slice(0, 12)} gives ${formatDigest(image.id)}; the first difference is in ${where}`,
    {
      suggestions: ['look whether the build writes times, random names or this machine into its output'],
      facts: { reference, released: manifest.config.digest, rebuilt: image.id, commit, ...found },
    },
  );
}
