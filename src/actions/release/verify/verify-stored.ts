import { GbuildError } from '../../../errors.ts';
import { readImage } from '../../../oci/layout/copy.ts';
import { nameOfPlatform } from '../../../oci/platform.ts';
import { isIndex } from '../../store/choose-platform.ts';
import { findStored, openStore } from '../../store/store.ts';
import { releasedHere } from './compare-rebuilt.ts';
import { rebuildRelease } from './rebuild-release.ts';
import type { VerifyRecord, VerifyRequest } from './verify.ts';

/** Builds a release of this machine's store again and compares. Nobody has signed it here, and its labels name its commit. */
export async function verifyStored(request: VerifyRequest, reference: string): Promise<VerifyRecord> {
  const { host, keyFile, rebuild } = request;
  if (keyFile !== undefined) throw unsigned(reference, keyFile);
  const store = await openStore(host);
  const stored = await findStored(store, reference);
  const [first] = stored?.images ?? [];
  if (stored === undefined || first === undefined) throw notHere(reference);
  const commit = first.config.config.Labels?.['org.opencontainers.image.revision'];
  if (commit === undefined) throw withoutCommit(reference);
  if (rebuild) {
    const images = await Promise.all(stored.images.map(({ descriptor }) => readImage(store, descriptor.digest)));
    await rebuildRelease(request, reference, images.map(releasedHere), commit);
  }
  return {
    reference,
    digest: stored.descriptor.digest,
    imageId: first.manifest.config.digest,
    ...(isIndex(stored.descriptor) && { platforms: stored.images.map(({ config }) => nameOfPlatform(config)) }),
    commit,
    rebuilt: rebuild,
  };
}

function unsigned(reference: string, keyFile: string): GbuildError {
  return new GbuildError(
    'usage',
    `--key ${keyFile}: ${reference} is on this machine, and signatures are in registries`,
    {
      suggestions: [`gbuild verify ${reference}`, `gbuild verify registry.example.com/${reference} --key ${keyFile}`],
      facts: { reference },
    },
  );
}

function notHere(reference: string): GbuildError {
  return new GbuildError('usage', `there is no release ${reference} on this machine`, {
    suggestions: [
      'gbuild releases',
      `gbuild verify registry.example.com/${reference} --key cosign.pub   # in a registry`,
    ],
    facts: { reference },
  });
}

function withoutCommit(reference: string): GbuildError {
  return new GbuildError(
    'release-refused',
    `${reference} does not say of which commit it is, so it cannot be built again`,
    {
      suggestions: [`gbuild inspect ${reference}`],
      facts: { reference },
    },
  );
}
