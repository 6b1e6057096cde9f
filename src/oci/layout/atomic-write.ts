import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { makeMark } from '../../fs/writer-mark.ts';
import type { Digest } from '../digest.ts';

/**
 * Writes a file atomically: to a temporary, flushed, checked against an expected digest, then renamed. Any number of
 * writers may do so at the same time. A killed one leaves `FILE.tmp-MARK`.
 */
export async function writeAtomic(
  hostFile: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  expected?: { digest: Digest; size: number },
): Promise<void> {
  const temporary = `${hostFile}.tmp-${makeMark()}`;
  try {
    const found = await writeAndFlush(temporary, chunks);
    if (expected !== undefined && (found.digest !== expected.digest || found.size !== expected.size)) {
      const what = `${expected.digest} (${expected.size} bytes)`;
      throw new GbuildError('store-failed', `what was to be ${what} is ${found.digest} (${found.size} bytes)`);
    }
    await renameOver(temporary, hostFile);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
  await flushFolder(dirname(hostFile));
}

/** Moves a complete file to its destination, flushed first; false where that is on another file system. */
export async function moveWhole(hostFile: string, target: string): Promise<boolean> {
  {
    await using file = await open(hostFile, 'r');
    await file.sync();
  }
  try {
    await renameOver(hostFile, target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EXDEV') return false;
    throw cause;
  }
  await flushFolder(dirname(target));
  return true;
}

/** A folder in the place of a file is not gbuild's. */
async function renameOver(temporary: string, hostFile: string): Promise<void> {
  try {
    await rename(temporary, hostFile);
  } catch (cause) {
    if (lstatSync(hostFile, { throwIfNoEntry: false })?.isDirectory() !== true) throw cause;
    await rm(hostFile, { recursive: true, force: true });
    await rename(temporary, hostFile);
  }
}

async function writeAndFlush(hostFile: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256');
  let size = 0;
  await using file = await open(hostFile, 'wx');
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.byteLength;
    await file.writeFile(chunk);
  }
  await file.sync();
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size };
}

/** The rename itself must be durable; some file systems refuse the flush. */
async function flushFolder(dir: string): Promise<void> {
  await using folder = await open(dir, 'r');
  await folder.sync().catch(() => {});
}
