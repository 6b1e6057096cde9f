import { GbuildError } from '../../../errors.ts';
import { readSet } from '../../../oci/layout/image-set.ts';
import { parseReference } from '../../../oci/reference.ts';
import { findRelease } from '../../store/find-release.ts';
import { openStore } from '../../store/store.ts';
import { releasedHere } from './compare-rebuilt.ts';
import type { Verifiable, VerifyRequest } from './verifiable.ts';

/** Finds a release in this machine's store. It has no signature here, and its labels name its commit. */
export async function findHere({ host, keyFile, rebuild }: VerifyRequest, reference: string): Promise<Verifiable> {
  if (keyFile !== undefined) throw unsigned(reference, keyFile);
  const store = await openStore(host);
  const { repository: name, tag, digest } = parseReference(reference);
  const found = await findRelease({ name, version: digest ?? tag ?? '', store });
  const [first] = found?.images ?? [];
  if (found === undefined || first === undefined) throw notHere(reference);
  const commit = first.config.config.Labels?.['org.opencontainers.image.revision'];
  if (commit === undefined) throw withoutCommit(reference);
  // The layers are read before the build: a damaged one ends the verification at once.
  const images = rebuild ? (await readSet(store, found.descriptor)).images.map(releasedHere) : [];
  return { found, images, commit };
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
    `${reference} does not say which commit it is of, so it cannot be built again`,
    {
      suggestions: [`gbuild inspect ${reference}`],
      facts: { reference },
    },
  );
}
