import { rcompare } from 'semver';
import type { Digest } from '../../../oci/digest.ts';
import type { Repository } from '../../../registry/repository.ts';
import { findRelease } from '../../store/find-release.ts';
import { isVersion } from '../../store/stored-releases.ts';

/**
 * Whether the newest release there has a layer; asked of the registry once, when somebody wants to know. A layer that another
 * machine has pushed is then compressed before it is sent, and found to be there. Yes to all where that cannot be read.
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
