import { rcompare } from 'semver';
import type { Digest } from '../../../oci/digest.ts';
import type { Repository } from '../../../registry/repository.ts';
import { findRelease } from '../../store/find-release.ts';
import { isVersion } from '../../store/stored-releases.ts';

/**
 * Returns a function that tells whether the registry's newest release has a layer. It asks the registry once, at its
 * first call. A layer that another machine has pushed is then compressed before sending, and found in the registry. It
 * answers true where the release cannot be read.
 */
export function askNewest(repository: Repository): (diffId: Digest) => Promise<boolean> {
  let asked: Promise<(diffId: Digest) => boolean> | undefined;
  return async (diffId) => {
    asked ??= readNewest(repository).catch(() => () => true);
    return (await asked)(diffId);
  };
}

async function readNewest(repository: Repository): Promise<(diffId: Digest) => boolean> {
  const [version] = (await repository.listTags()).filter(isVersion).sort(rcompare);
  const { images = [] } = (version && (await findRelease({ name: repository.path, version, repository }))) || {};
  const diffIds = new Set(images.flatMap(({ config }) => config.rootfs.diff_ids));
  return (diffId) => diffIds.has(diffId);
}
