import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** In bytes: more than a git config ever has. */
const largestFile = 4 << 20;

/**
 * The bytes of a small regular file. Throws for anything else a repository may have in its place: a link to a device never ends,
 * a named pipe never begins.
 */
export function readRegularFile(file: string): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size > largestFile) throw new Error(`it has more than ${largestFile} bytes`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
