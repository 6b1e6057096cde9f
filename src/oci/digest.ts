import { createHash } from 'node:crypto';
import { GbuildError } from '../errors.ts';

/**
 * Digest as `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md, "Digests"). gbuild writes no other
 * algorithm.
 */
export type Digest = `sha256:${string}`;

const grammar = /^sha256:[0-9a-f]{64}$/;

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Whether the text is a digest that gbuild can check. */
export function isDigest(text: string): text is Digest {
  return grammar.test(text);
}

/** Parses a digest. Throws `usage` for anything but a sha256 digest. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new GbuildError(
    'usage',
    `${JSON.stringify(text)} is not a digest: expected sha256: and 64 lower-case hex digits`,
  );
}

/** Returns the 64 hex digits: the blob's file name in a layout. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** Computes digest and size in bytes of a stream, without keeping the chunks. */
export async function digestStream(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<{ digest: Digest; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
