import { resolve } from 'node:path';
import { type PublicKey, readPublicKey } from '../../../attest/signature/key.ts';
import { GbuildError, messageOf } from '../../../errors.ts';
import { largestFile, readWhole } from '../../../fs/read-bounded.ts';
import { nameOfPlatform } from '../../../oci/platform.ts';
import { parseReference } from '../../../oci/reference.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { isIndex } from '../../store/choose-platform.ts';
import { nameRelease } from '../../store/release-name.ts';
import { assertIndex, type RemoteSet, readRemoteSet } from '../../store/remote-set.ts';
import { checkSignature, readProvenance } from '../attest/check-attestations.ts';
import { releasedThere } from './compare-rebuilt.ts';
import { type RebuildRequest, rebuildRelease } from './rebuild-release.ts';
import { verifyStored } from './verify-stored.ts';

export interface VerifyRequest extends RebuildRequest {
  /** HOST/NAME:VERSION or HOST/NAME@sha256:...; NAME:VERSION or VERSION for one that was released on this machine. */
  reference: string;
  /** A public key; without one nobody is asked who says so. */
  keyFile: string | undefined;
  /** Whether to build it again. */
  rebuild: boolean;
}

/** Answer of `--json`. */
export interface VerifyRecord {
  reference: string;
  digest: string;
  /** Id of the first image, where the release is an index. */
  imageId: string;
  /** Platforms of an index's images. */
  platforms?: string[];
  /** The key's file, where it was checked. */
  signedWith?: string;
  commit: string;
  /** Whether it was built again, to the very same image. */
  rebuilt: boolean;
}

/**
 * The story of `gbuild verify`: who says so, what it was made of, and whether that gives this image again. The recorded commit
 * is built in a folder of its own, with its own spec and lock, and nothing gets a name.
 */
export async function verifyRelease(request: VerifyRequest): Promise<VerifyRecord> {
  const { keyFile, host, progress } = request;
  const reference = await nameRelease(request.reference, request);
  if (parseReference(reference).registry === undefined) return verifyStored(request, reference);
  const key =
    keyFile === undefined ? undefined : readPublicKey(readText(resolve(host.cwd, keyFile)), { label: keyFile });
  return withRegistries(request, async (registries) => {
    const { registry, repository: path, tag, digest } = parseReference(reference);
    const remote = await readRemoteSet(registries.repository({ registry: registry!, path }), digest ?? tag ?? 'latest');
    const [first] = remote?.images ?? [];
    if (remote === undefined || first === undefined) throw notThere(reference);
    assertIndex(reference, remote);
    if (key === undefined) progress.warn('no --key: the provenance is taken as it stands there, whoever wrote it');
    if (key !== undefined) await checkSignature(remote, key);
    const commit = await readCommit(remote, key);
    if (request.rebuild) await rebuildRelease(request, reference, remote.images.map(releasedThere), commit);
    return {
      reference,
      digest: remote.descriptor.digest,
      imageId: first.manifest.config.digest,
      ...(isIndex(remote.descriptor) && { platforms: remote.images.map(({ config }) => nameOfPlatform(config)) }),
      ...(keyFile !== undefined && { signedWith: keyFile }),
      commit,
      rebuilt: request.rebuild,
    };
  });
}

/** The commit that the provenance names, and the label of every image too. */
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

function readText(file: string): string {
  try {
    return readWhole(file, largestFile, { pipes: true }).toString();
  } catch (cause) {
    throw new GbuildError('key-invalid', `the key ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function notThere(reference: string): GbuildError {
  const { registry, repository } = parseReference(reference);
  return new GbuildError('usage', `there is no ${reference}`, {
    suggestions: [`gbuild releases ${repository} --registry ${registry}`],
    facts: { reference },
  });
}
