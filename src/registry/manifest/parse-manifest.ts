import { GbuildError } from '../../errors.ts';
import { parseIndexBytes, parseManifestBytes } from '../../oci/image/documents.ts';
import type { Index, Manifest } from '../../oci/spec.ts';

/** Origin of a manifest, for messages: a repository, and the requested tag or digest. */
export interface ManifestPlace {
  /** Name such as `127.0.0.1:5000/team/app`. */
  name: string;
  registry: string;
  reference: string;
}

/**
 * Parses a manifest from an untrusted source: its config and layers must be descriptors. @throws GbuildError
 * `registry-failed`
 */
export function parseManifest(place: ManifestPlace, bytes: Buffer): Manifest {
  return parseManifestBytes(bytes, (fault) => unreadable(place, 'manifest', fault));
}

/**
 * Parses an index from an untrusted source; entries with digests of other algorithms are left out. @throws GbuildError
 * `registry-failed`
 */
export function parseIndex(place: ManifestPlace, bytes: Buffer): Index {
  return parseIndexBytes(bytes, (fault) => unreadable(place, 'index', fault));
}

/** Formats `HOST/NAME:TAG` or `HOST/NAME@sha256:...`. */
export function nameManifest({ name, reference }: Pick<ManifestPlace, 'name' | 'reference'>): string {
  return `${name}${reference.includes(':') ? '@' : ':'}${reference}`;
}

function unreadable(place: ManifestPlace, kind: 'manifest' | 'index', fault: string): GbuildError {
  const { registry, name, reference } = place;
  return new GbuildError('registry-failed', `the ${kind} of ${nameManifest(place)} cannot be read: ${fault}`, {
    suggestions: [`docker manifest inspect ${nameManifest(place)}   # what does the registry have there?`],
    facts: { registry, name, reference },
  });
}
