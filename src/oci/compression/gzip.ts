import { constants, crc32, deflateRaw } from 'node:zlib';
import { chooseMethod } from './choose-method.ts';

/** Part of a layer's identity in a registry: another level, block size or window gives other bytes. Never changed lightly. */
export const deflateLevel = 3;
const layerBlockSize = 1 << 20;
const windowSize = 32 << 10;

/** Name written down with a digest of compressed bytes: another name, other bytes. */
export const compressorName = 'gzip-2';

/** RFC 1952: no name, no time, operating system "unknown", so that no machine shows. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** How many blocks are under way at once: as many as libuv has threads by default, and as many again to wait for them. */
const mostAtOnce = 8;

export interface DeflateOptions {
  /** No strings that come again are looked for (Z_HUFFMAN_ONLY). */
  isLiteral: boolean;
  /** Bytes that strings may come from. */
  before: Buffer | undefined;
  /** Any other ends at a byte's edge (Z_SYNC_FLUSH). */
  isLast: boolean;
}

/** Compresses one block. */
export type DeflateBlock = (block: Buffer, options: DeflateOptions) => Promise<Buffer>;

/**
 * Gzips a stream so that the same bytes in give the same bytes out, on every machine and however many blocks are compressed
 * at once: blocks of 1 MiB, each by the method that its bytes call for and with the 32 KiB before it as its dictionary, joined
 * to one deflate stream (RFC 1951). Memory stays at some blocks. Another block size is for tests of a compressor alone.
 * `deflate` is node's own zlib, or whatever gives the bytes that this one should.
 */
export async function* gzip(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  deflate: DeflateBlock,
  blockSize: number = layerBlockSize,
): AsyncGenerator<Buffer> {
  yield header;
  let sum = 0;
  let size = 0;
  const waiting: Promise<Buffer>[] = [];
  let before: Buffer | undefined;
  for await (const { block, isLast } of cutBlocks(chunks, blockSize)) {
    sum = crc32(block, sum);
    size += block.length;
    const compressed = compressBlock(block, { before, isLast }, deflate);
    compressed.catch(() => undefined);
    waiting.push(compressed);
    before = block.subarray(Math.max(0, block.length - windowSize));
    if (waiting.length >= mostAtOnce) yield await waiting.shift()!;
  }
  for (const compressed of waiting) yield await compressed;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(sum, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield trailer;
}

async function compressBlock(
  block: Buffer,
  options: Omit<DeflateOptions, 'isLiteral'>,
  deflate: DeflateBlock,
): Promise<Buffer> {
  const method = block.length === 0 ? 'match' : chooseMethod(block);
  if (method === 'store') return storeBlock(block, options.isLast);
  if (method === 'huffman') return deflate(block, { ...options, isLiteral: true, before: undefined });
  return deflate(block, { ...options, isLiteral: false });
}

/** Stored as it is (RFC 1951, 3.2.4): a bit that says whether it is the last, the length, and its complement. */
function storeBlock(block: Buffer, isLast: boolean): Buffer {
  const pieces = Math.ceil(block.length / mostStored);
  const stored = Buffer.allocUnsafeSlow(block.length + 5 * pieces);
  for (let from = 0, at = 0; from < block.length; from += mostStored) {
    const length = Math.min(mostStored, block.length - from);
    stored[at] = isLast && from + length === block.length ? 1 : 0;
    stored.writeUInt16LE(length, at + 1);
    stored.writeUInt16LE(length ^ 0xffff, at + 3);
    at += 5 + block.copy(stored, at + 5, from, from + length);
  }
  return stored;
}

const mostStored = 0xffff;

/** Node's zlib, in libuv's threads: all of a block in one go, for each piece of output costs a way to a thread and back. */
export const deflateByNode: DeflateBlock = (block, { isLiteral, before, isLast }) =>
  new Promise((resolve, reject) => {
    const flush = isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    const options = {
      level: deflateLevel,
      strategy: isLiteral ? constants.Z_HUFFMAN_ONLY : constants.Z_DEFAULT_STRATEGY,
      flush,
      finishFlush: flush,
      chunkSize: block.length + (block.length >>> 8) + 1024,
      ...(before !== undefined && { dictionary: before }),
    };
    deflateRaw(block, options, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });

/** Blocks of exactly that size, the last one shorter; one empty block of nothing. A chunk that is a block is not copied. */
async function* cutBlocks(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  blockSize: number,
): AsyncGenerator<{ block: Buffer; isLast: boolean }> {
  let block: Buffer | undefined;
  let at = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      if (block !== undefined && at === blockSize) {
        yield { block, isLast: false };
        block = undefined;
        at = 0;
      }
      const part = chunk.subarray(from, from + blockSize - at);
      if (part.length === blockSize) block = Buffer.from(part.buffer, part.byteOffset, blockSize);
      else {
        block ??= Buffer.allocUnsafeSlow(blockSize);
        block.set(part, at);
      }
      at += part.length;
      from += part.length;
    }
  }
  yield { block: block?.subarray(0, at) ?? Buffer.alloc(0), isLast: true };
}
