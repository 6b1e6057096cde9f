import { closeSync, openSync, readSync } from 'node:fs';
import { largestFile } from './source.ts';

/** A file's bytes, but never more than one past the limit: whoever parses them refuses a longer file by its length. */
export function readBounded(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
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
