import { createHash } from 'node:crypto';
import { GbuildError } from '../../errors.ts';
import { readPieces } from '../../fs/read-bounded.ts';
import type { FileThere, FileToPut } from './depot.ts';

/**
 * Reads a file piece by piece. @throws GbuildError `workspace-changed` before the last piece, where it is not the file
 * that was described: a transfer ends incomplete.
 */
export function* readAsDescribed({ hostFile, size, sha256 }: FileToPut): Generator<Buffer> {
  const hash = createHash('sha256');
  let read = 0;
  let held: Buffer | undefined;
  for (const piece of readPieces(hostFile)) {
    read += piece.length;
    if (read > size) throw changed(hostFile);
    if (held !== undefined) yield held;
    held = piece;
    hash.update(piece);
  }
  if (read !== size || hash.digest('hex') !== sha256) throw changed(hostFile);
  if (held !== undefined) yield held;
}

function changed(hostFile: string): GbuildError {
  return new GbuildError('workspace-changed', `${hostFile} changed while it was put`, {
    suggestions: ['run the same command again'],
    facts: { path: hostFile },
  });
}

/** Compares bytes that are there with the file. */
export async function compareStored(
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  file: FileToPut,
): Promise<FileThere> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.length;
  }
  const sha256 = hash.digest('hex');
  return { size, sha256, isSame: sha256 === file.sha256 };
}

/** Hashes a file. Returns hex digits. */
export function hashOf({ hostFile }: FileToPut, algorithm: 'md5'): string {
  const hash = createHash(algorithm);
  for (const piece of readPieces(hostFile)) hash.update(piece);
  return hash.digest('hex');
}
