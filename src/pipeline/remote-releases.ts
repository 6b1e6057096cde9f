import { GbuildError } from '../errors.ts';
import { readRemote } from '../registry/pull-image.ts';
import type { Repository } from '../registry/repository.ts';
import { describeRelease, isVersion, type Release } from './stored-releases.ts';

const atOnce = 4;

/**
 * The releases that a registry has of one name: what exact versions name. Flags of releases under way, signatures and moving
 * tags are none, nor is what another tool put under a version that is no single image.
 */
export async function listRemote(repository: Repository, name: string): Promise<Release[]> {
  const versions = (await repository.listTags()).filter(isVersion);
  const releases: Release[] = [];
  const work = async () => {
    for (let version = versions.pop(); version !== undefined; version = versions.pop()) {
      const release = await readRelease(repository, name, version);
      if (release !== undefined) releases.push(release);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return releases;
}

async function readRelease(repository: Repository, name: string, version: string): Promise<Release | undefined> {
  try {
    const remote = await readRemote(repository, version);
    return remote && describeRelease(name, version, remote.manifest.config.digest, remote.config);
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.facts.mediaType !== undefined) return undefined;
    throw thrown;
  }
}
