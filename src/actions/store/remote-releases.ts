import { NotAnImageError } from '../../registry/image/pull-image.ts';
import type { Repository } from '../../registry/repository.ts';
import { findRelease } from './find-release.ts';
import { describeRelease, isVersion, type Release } from './stored-releases.ts';

const atOnce = 4;

/**
 * Lists the releases of one name in a registry: the images of exact versions. Claims of running releases, signatures
 * and movable tags are no releases, nor is another tool's artifact under a version.
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
