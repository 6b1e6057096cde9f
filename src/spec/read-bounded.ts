import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** In bytes: more than any file written by hand, and the worst one is a matter of a second. */
export const largestFile = 256 * 1024;

/**
 * A regular file's bytes, but never more than one past the limit: whoever parses them refuses a longer file by its length. What
 * a repository has in its place (a link to a device, a named pipe) is not read: the first never ends, the second never begins.
 */
export function readBounded(file: string): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Error(`${describeKind(stats)}, not a file`);
    const bytes = Buffer.alloc(largestFile + 1);
    let length = 0;
    for (;;) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, null);
      length += count;
      if (count === 0 || length === bytes.length) return bytes.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

function describeKind(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}
