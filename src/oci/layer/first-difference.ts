import type { ReadEntry } from '../tar/untar.ts';
import { readTar } from '../tar/untar.ts';

/** First difference of two layers, in the order of their entries. */
export interface FirstDifference {
  path: string;
  /** Offset of the first different byte in the file, where the content differs. */
  byte?: number;
  /** Difference other than content: `only in the first`, `mode`, ... */
  what: string;
}

/**
 * Reads two uncompressed layers side by side up to the first difference; undefined for equal ones. gbuild's layers are
 * sorted, so the same paths meet each other. Memory stays at two chunks.
 */
export async function findFirstDifference(
  first: AsyncIterable<Uint8Array>,
  second: AsyncIterable<Uint8Array>,
): Promise<FirstDifference | undefined> {
  const [left, right] = [readTar(first, 'the first layer'), readTar(second, 'the second layer')];
  try {
    for (;;) {
      const [a, b] = [(await left.next()).value, (await right.next()).value] as (ReadEntry | undefined)[];
      if (a === undefined && b === undefined) return undefined;
      const difference = await compareEntries(a, b);
      if (difference !== undefined) return difference;
    }
  } finally {
    await left.return(undefined);
    await right.return(undefined);
  }
}

async function compareEntries(
  a: ReadEntry | undefined,
  b: ReadEntry | undefined,
): Promise<FirstDifference | undefined> {
  if (b === undefined || (a !== undefined && a.header.path < b.header.path))
    return { path: a!.header.path, what: 'only in the first' };
  if (a === undefined || a.header.path !== b.header.path) return { path: b.header.path, what: 'only in the second' };
  const { path } = a.header;
  for (const key of ['type', 'linkTarget'] as const)
    if (a.header[key] !== b.header[key]) return { path, what: `${key} ${a.header[key]}, not ${b.header[key]}` };
  const byte = await findFirstByte(a.content, b.content);
  if (byte !== undefined) return { path, byte, what: 'content' };
  for (const key of ['mode', 'uid', 'gid', 'mtime'] as const)
    if (a.header[key] !== b.header[key]) return { path, what: `${key} ${a.header[key]}, not ${b.header[key]}` };
  return undefined;
}

/** Finds the first byte that differs; the length of the shorter content where it is the other's beginning. */
async function findFirstByte(
  first: AsyncIterable<Uint8Array>,
  second: AsyncIterable<Uint8Array>,
): Promise<number | undefined> {
  const [left, right] = [new Pieces(first), new Pieces(second)];
  for (let at = 0; ; ) {
    const [a, b] = [await left.peek(), await right.peek()];
    if (a === undefined && b === undefined) return undefined;
    if (a === undefined || b === undefined) return at;
    const length = Math.min(a.length, b.length);
    if (Buffer.compare(a.subarray(0, length), b.subarray(0, length)) !== 0) {
      let same = 0;
      while (a[same] === b[same]) same += 1;
      return at + same;
    }
    left.take(length);
    right.take(length);
    at += length;
  }
}

/** Stream with a view of its next bytes before they are taken. */
class Pieces {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async peek(): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#rest = value;
    }
    return this.#rest;
  }

  take(length: number): void {
    this.#rest = this.#rest.subarray(length);
  }
}
