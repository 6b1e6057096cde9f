import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';

/** Limit in bytes for files written by hand: more than any has, and the worst one still takes about a second. */
export const largestFile = 256 * 1024;

/**
 * Limit in bytes for settings that programs write (credentials, contexts, certificates), which may have grown for
 * years.
 */
export const largestSettings = 4 * 1024 * 1024;

/** Limit in bytes for JSON documents of images, which programs write. */
export const largestDocument = 256 * 1024 * 1024;

const pieceSize = 1024 * 1024;

interface ReadOptions {
  /** Whether pipes are read: the caller named the file, and a pipe (`<(pass show key)`) is read to its end. */
  pipes?: boolean;
  /** Called with the stats of the opened file before it is read; may throw. */
  onOpened?: (stats: Stats) => void;
}

/**
 * Reads a regular file, at most one byte past the limit: a parser refuses a longer file by its length. A link to a
 * device or a named pipe in a repository is not read: the first never ends, the second never begins.
 */
export function readBounded(
  file: string,
  limit: number = largestFile,
  { pipes = false, onOpened }: ReadOptions = {},
): Buffer {
  // Checked before opening: opening alone has an effect on some devices.
  assertReadable(readStats(file), pipes);
  const descriptor = openSync(file, constants.O_RDONLY | (pipes ? 0 : (constants.O_NONBLOCK ?? 0)));
  try {
    const stats = fstatSync(descriptor);
    assertReadable(stats, pipes);
    onOpened?.(stats);
    return readUpTo(descriptor, limit + 1, Math.min(stats.size, limit) + 1);
  } finally {
    closeSync(descriptor);
  }
}

/** Reads a whole regular file; throws for one that is larger than the limit in bytes. */
export function readWhole(file: string, limit: number = largestFile, options: ReadOptions = {}): Buffer {
  const bytes = readBounded(file, limit, options);
  if (bytes.length > limit) throw new Error(`larger than ${formatLimit(limit)}`);
  return bytes;
}

/** Reads a whole file as text; undefined where it is missing or unreadable. For files that only help a guess. */
export function readTextIfAny(file: string, limit?: number): string | undefined {
  try {
    return readWhole(file, limit).toString();
  } catch {
    return undefined;
  }
}

/** Whether the path exists; a dangling link does. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Whether it is a regular file, or a link to one. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Reads a regular file piece by piece, for large ones. Throws for anything else. */
export function* readPieces(file: string): Generator<Buffer> {
  assertReadable(readStats(file), false);
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    assertReadable(fstatSync(descriptor), false);
    for (;;) {
      const piece = Buffer.allocUnsafe(pieceSize);
      const count = readSync(descriptor, piece, 0, pieceSize, null);
      if (count === 0) return;
      yield piece.subarray(0, count);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Reads up to a limit. A file of the kernel (/proc) has no size: the buffer doubles until the end. */
function readUpTo(descriptor: number, most: number, expected: number): Buffer {
  let bytes = Buffer.allocUnsafe(expected);
  let length = 0;
  for (;;) {
    const count = readSync(descriptor, bytes, length, bytes.length - length, null);
    length += count;
    if (count === 0 || length === most) return bytes.subarray(0, length);
    if (length < bytes.length) continue;
    const larger = Buffer.allocUnsafe(Math.min(most, 2 * length + 4096));
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
  }
}

function formatLimit(limit: number): string {
  return limit % (1024 * 1024) === 0 ? `${limit / 1024 / 1024} MiB` : `${limit / 1024} KiB`;
}

function readStats(file: string): Stats {
  try {
    return statSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT' || !isThere(file)) throw cause;
    throw Object.assign(new Error('a link that leads nowhere', { cause }), { code: 'ENOENT' });
  }
}

function assertReadable(stats: Stats, pipes: boolean): void {
  if (stats.isFile() || (pipes && stats.isFIFO())) return;
  const refused = new Error(`${describeKind(stats)}, not a file`);
  throw stats.isDirectory() ? Object.assign(refused, { code: 'EISDIR' }) : refused;
}

function describeKind(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}
