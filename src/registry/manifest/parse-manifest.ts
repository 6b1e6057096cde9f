import { GbuildError } from '../../errors.ts';
import { isDigest } from '../../oci/digest.ts';
import { findIndexFault, findShapeFault } from '../../oci/image/find-fault.ts';
import type { Index, Manifest } from '../../oci/spec.ts';
import { parseAnswer } from './tags.ts';

/** Where a manifest was read from, for messages: a repository, and the tag or digest that was asked for. */
export interface ManifestPlace {
  /** `127.0.0.1:5000/team/app`. */
  name: string;
  registry: string;
  reference: string;
}

/** A manifest that anybody may have written: its config and layers are descriptors. @throws GbuildError `registry-failed` */
export function parseManifest(place: ManifestPlace, bytes: Buffer): Manifest {
  const manifest = parseAnswer(bytes);
  const fault = manifest === undefined ? 'it is no JSON object' : findShapeFault(manifest);
  if (fault !== undefined) throw unreadable(place, 'manifest', fault);
  return manifest as Manifest;
}

/** An index that anybody may have written; what it lists by other digests than gbuild's is left out. @throws GbuildError `registry-failed` */
export function parseIndex(place: ManifestPlace, bytes: Buffer): Index {
  const index = parseAnswer(bytes);
  const fault = index === undefined ? 'it is no JSON object' : findIndexFault(index);
  if (fault !== undefined) throw unreadable(place, 'index', fault);
  const { manifests } = index as Index;
  return { schemaVersion: 2, manifests: manifests.filter(({ digest }) => isDigest(digest)) };
}

/** `HOST/NAME:TAG` or `HOST/NAME@sha256:...`. */
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
