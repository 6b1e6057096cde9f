import { GbuildError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatIndex } from '../../oci/layout/image-set.ts';
import { nameOfPlatform } from '../../oci/platform.ts';
import type { Descriptor, Index } from '../../oci/spec.ts';
import { type RemoteImage, readImageOf, readRemote } from '../../registry/image/pull-image.ts';
import { parseIndex } from '../../registry/manifest/parse-manifest.ts';
import type { Repository } from '../../registry/repository.ts';
import { isIndex } from './choose-platform.ts';

/** Image or index that a tag or digest names in a registry, as an ImageSet there. */
export interface RemoteSet {
  repository: Repository;
  /** Descriptor of the named manifest. */
  descriptor: Descriptor;
  manifestBytes: Buffer;
  images: RemoteImage[];
  /** Platforms that an index lists, wanted or not; empty where it lists none. */
  platforms: string[];
}

/**
 * Reads the image, or those of an index for these platforms; undefined where the name is missing. Other entries of an
 * index than images for a platform are skipped.
 */
export async function readRemoteSet(
  repository: Repository,
  tagOrDigest: string,
  wanted?: readonly string[],
): Promise<RemoteSet | undefined> {
  const found = await repository.readManifest(tagOrDigest);
  if (found === undefined) return undefined;
  const { descriptor, bytes: manifestBytes } = found;
  if (!isIndex(descriptor)) {
    const images = [await readImageOf(repository, tagOrDigest, found)];
    return { repository, descriptor, manifestBytes, images, platforms: [] };
  }
  const { name: repositoryName, registry } = repository;
  const index = parseIndex({ name: repositoryName, registry, reference: tagOrDigest }, manifestBytes);
  const all = listPlatforms(index);
  const listed = all.filter(({ name }) => wanted === undefined || wanted.includes(name));
  const images = await Promise.all(listed.map(({ digest }) => readRemote(repository, digest)));
  return {
    repository,
    descriptor,
    manifestBytes,
    images: images.filter((image) => image !== undefined),
    platforms: all.map(({ name }) => name),
  };
}

/** Asserts that the index lists exactly the release's images, so that every pulled image was verified. */
export function assertIndex(reference: string, { descriptor, images }: RemoteSet): void {
  if (!isIndex(descriptor) || formatIndex(images).descriptor.digest === descriptor.digest) return;
  throw new GbuildError(
    'release-refused',
    `${reference} is an index that gbuild did not write: it does not list exactly the ${images.length} images in it`,
    { suggestions: [`gbuild inspect ${reference}`], facts: { reference, digest: descriptor.digest } },
  );
}

/** Lists the images of an index, each by the name of its platform (empty where it has none). */
function listPlatforms({ manifests }: Index): { name: string; digest: Digest }[] {
  const listed = manifests.filter(({ platform }) => platform?.os !== 'unknown');
  return listed.map(({ digest, platform }) => ({
    digest,
    name: platform === undefined ? '' : nameOfPlatform(platform),
  }));
}
