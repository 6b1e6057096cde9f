import type { PublicKey } from '../../../attest/signature/key.ts';
import { GbuildError } from '../../../errors.ts';
import { nameOfPlatform } from '../../../oci/platform.ts';
import { parseReference } from '../../../oci/reference.ts';
import type { Registries } from '../../../registry/registries.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { isIndex } from '../../store/choose-platform.ts';
import { findRelease } from '../../store/find-release.ts';
import { nameRelease } from '../../store/release-name.ts';
import { assertIndex, type RemoteSet } from '../../store/remote-set.ts';
import { checkSignature, readProvenance } from '../attest/check-attestations.ts';
import { readVerifyKey } from '../attest/verify-key.ts';
import { releasedThere } from './compare-rebuilt.ts';
import { findHere } from './find-here.ts';
import { rebuildRelease } from './rebuild-release.ts';
import type { Verifiable, VerifyRequest } from './verifiable.ts';

/** Result of `--json`. */
export interface VerifyRecord {
  reference: string;
  digest: string;
  /** Id of the first image, where the release is an index. */
  imageId: string;
  /** Platforms of an index's images. */
  platforms?: string[];
  /** Key file that the signature was checked with. */
  signedWith?: string;
  commit: string;
  /** Whether it was built again, with an identical image. */
  rebuilt: boolean;
}

/**
 * Implements `gbuild verify`: checks the signature, reads the provenance, and proves that its commit gives this image
 * again. The recorded commit is built in a separate folder, with its own spec and lock, and no image is named.
 */
export async function verifyRelease(request: VerifyRequest): Promise<VerifyRecord> {
  const reference = await nameRelease(request.reference, request);
  if (parseReference(reference).registry === undefined)
    return verifyFound(request, await findHere(request, reference), reference);
  return withRegistries(request, async (registries) =>
    verifyFound(request, await findThere(request, reference, registries), reference),
  );
}

async function verifyFound(
  request: VerifyRequest,
  { found, images, commit }: Verifiable,
  reference: string,
): Promise<VerifyRecord> {
  const { rebuild, keyFile } = request;
  if (rebuild) await rebuildRelease(request, reference, images, commit);
  return {
    reference,
    digest: found.descriptor.digest,
    imageId: found.images[0]!.manifest.config.digest,
    ...(isIndex(found.descriptor) && { platforms: found.images.map(({ config }) => nameOfPlatform(config)) }),
    ...(keyFile !== undefined && { signedWith: keyFile }),
    commit,
    rebuilt: rebuild,
  };
}

/** Finds a release in a registry, with the commit of its provenance. A given key checks the signature. */
async function findThere(
  { keyFile, host, progress }: VerifyRequest,
  reference: string,
  registries: Registries,
): Promise<Verifiable> {
  const key = readVerifyKey(host, keyFile);
  const { registry, repository: path, tag, digest } = parseReference(reference);
  const repository = registries.repository({ registry: registry!, path });
  const found = await findRelease({ name: path, version: digest ?? tag ?? 'latest', repository });
  if (found === undefined || found.images.length === 0) throw notThere(reference);
  assertIndex(reference, found);
  if (key === undefined) progress.warn('no --key: the provenance is believed, whoever wrote it');
  if (key !== undefined) await checkSignature(found, key);
  return { found, images: found.images.map(releasedThere), commit: await readCommit(found, key) };
}

/** Reads the commit that the provenance and the label of every image name. */
async function readCommit(remote: RemoteSet, key: PublicKey | undefined): Promise<string> {
  const { predicate } = await readProvenance(remote, key);
  const { buildDefinition } = (predicate ?? {}) as {
    buildDefinition?: { resolvedDependencies?: { name?: string; digest?: { gitCommit?: string } }[] } | null;
  };
  const listed = buildDefinition?.resolvedDependencies;
  const source = Array.isArray(listed) ? listed.find((each) => each?.name === 'source') : undefined;
  const commit = String(source?.digest?.gitCommit ?? '');
  const labels = remote.images.map(({ config }) => config.config.Labels?.['org.opencontainers.image.revision']);
  const label = labels.find((each) => each !== commit) ?? labels[0];
  if (/^[0-9a-f]{40,64}$/.test(commit) && commit === label) return commit;
  throw new GbuildError(
    'signature-invalid',
    `the provenance of ${remote.repository.name} names the commit ${commit || '(none)'}, the image itself ${label ?? '(none)'}`,
    { facts: { commit, label } },
  );
}

function notThere(reference: string): GbuildError {
  const { registry, repository } = parseReference(reference);
  return new GbuildError('usage', `there is no ${reference}`, {
    suggestions: [`gbuild releases ${repository} --registry ${registry}`],
    facts: { reference },
  });
}
