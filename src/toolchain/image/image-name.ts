import { parseReference } from '../../oci/reference.ts';

/** Returns the tag of an image that is named after its content: it never moves, because another id has another name. */
export function idTag(id: string): string {
  return `id-${id.slice('sha256:'.length, 'sha256:'.length + 40)}`;
}

/** Splits an engine's name such as `gbuild/node:22.21.1-5914703ac085` into the path and the tag in a registry. */
export function splitName(reference: string): { path: string; tag: string } {
  const { repository, tag = 'latest' } = parseReference(reference);
  return { path: repository, tag };
}
