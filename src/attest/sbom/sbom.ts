import { createHash } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import type { Package } from '../packages/package.ts';
import { formatPurl } from '../packages/purl.ts';

/** Input of a bill of materials: equal input gives equal bytes in every format. */
export interface SbomInput {
  image: {
    /** Name without a tag: `registry.example/acme/hello`. */
    name: string;
    /** Tag of the image. */
    version?: string;
    /** Digest of the manifest. */
    digest: Digest;
    architecture: string;
  };
  base?: { reference: string; digest: Digest };
  packages: readonly Package[];
  /** Time of the commit in RFC 3339. */
  created: string;
  /** Version of gbuild. */
  toolVersion: string;
}

/** Formats `pkg:oci/NAME@DIGEST`: an image's purl has the last part of its repository, and the whole in a qualifier. */
export function formatImagePurl({ name, version, digest, architecture }: SbomInput['image']): string {
  const qualifiers = {
    arch: architecture,
    ...(name.includes('/') && { repository_url: name }),
    ...(version !== undefined && { tag: version }),
  };
  return formatPurl({ type: 'oci', name: name.split('/').at(-1)!.toLowerCase(), version: digest, qualifiers });
}

/** Derives a UUID (RFC 9562, version 8) from the text: the same image gives the same document. */
export function deriveUuid(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
