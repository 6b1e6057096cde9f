import { NotAnImageError } from '../../registry/image/pull-image.ts';
import type { Repository } from '../../registry/repository.ts';
import { findRelease } from './find-release.ts';
import { describeRelease, isVersion, type Release } from './stored-releases.ts';

const atOnce = 4;

/**
 * The releases that a registry has of one name: what exact versions name. Flags of releases under way, signatures and moving
 * tags are none, nor is what another tool put under a version that is no image.
 */
export async function listRemote(repository: Repository, name: string): Promise<Release[]> {
  const versions = (await repository.listTags()).filter(isVersion);
  const releases: Release[] = [];
  const work = async () => {
    for (let version = versions.pop(); version !== undefined; version = versions.pop()) {
      releases.push(...(await readReleases(repository, name, version)));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return releases;
}

async function readReleases(repository: Repository, name: string, version: string): Promise<Release[]> {
  try {
    const { images = [] } = (await findRelease({ name, version, repository })) ?? {};
    return images.map(({ manifest, config }) => describeRelease(name, version, manifest.config.digest, config));
  } catch (thrown) {
    if (thrown instanceof NotAnImageError) return [];
    throw thrown;
  }
}
