import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Digest } from '../digest.ts';

/**
 * Writes the chunks to a new file, and returns their digest and size. Writes synchronously: the pieces are many and
 * small, and each lands in the page cache.
 */
export async function writeHashed(
  chunks: AsyncIterable<Uint8Array>,
  hostFile: string,
): Promise<{ digest: Digest; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  const fd = openSync(hostFile, 'w');
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
    }
  } finally {
    closeSync(fd);
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
