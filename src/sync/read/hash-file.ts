import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** A link or a fifo in the file's place is neither followed nor waited for. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Size in bytes up to which one read gives both hash and content. */
export const smallFile = 1 << 20;
const pieceSize = smallFile;

const piece = Buffer.allocUnsafeSlow(pieceSize);

/** Content of a file. `bytes` are those of a small one, valid until the next file is read. */
export interface HashedContent {
  size: number;
  digest: string;
  bytes?: Buffer;
}

/** Reads and hashes (sha256) in constant memory. Undefined for a path that is no file any more. */
export function readContent(hostFile: string): HashedContent | undefined {
  const fd = openFile(hostFile);
  if (fd === undefined) return undefined;
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    let count = fill(fd);
    if (count < pieceSize) {
      const bytes = piece.subarray(0, count);
      return { size: count, digest: hash('sha256', bytes, 'base64url'), bytes };
    }
    const hasher = createHash('sha256');
    let size = 0;
    for (; count > 0; count = fill(fd)) {
      hasher.update(piece.subarray(0, count));
      size += count;
    }
    return { size, digest: hasher.digest('base64url') };
  } finally {
    closeSync(fd);
  }
}

/** Fills the piece; less than a piece only at the file's end. */
function fill(fd: number): number {
  let done = 0;
  while (done < pieceSize) {
    const count = readSync(fd, piece, done, pieceSize - done, null);
    if (count === 0) break;
    done += count;
  }
  return done;
}

const gone = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'ENXIO']);

function openFile(hostFile: string): number | undefined {
  try {
    return openSync(hostFile, flags);
  } catch (thrown) {
    if (gone.has((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw thrown;
  }
}
