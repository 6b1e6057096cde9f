import { parseReference } from '../../oci/reference.ts';

/** The tag of an image that is named after its content: it never moves, for what has another id has another name. */
export function idTag(id: string): string {
  return `id-${id.slice('sha256:'.length, 'sha256:'.length + 40)}`;
}

/** Where a registry keeps what an engine calls `gbuild/node:22.21.1-5914703ac085`: the path there, and the tag. */
export function splitName(reference: string): { path: string; tag: string } {
  const { repository, tag = 'latest' } = parseReference(reference);
  return { path: repository, tag };
}
