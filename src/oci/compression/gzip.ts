import { constants, crc32, deflateRaw } from 'node:zlib';
import { chooseMethod } from './choose-method.ts';

/**
 * Parts of a layer's identity in a registry: another level, block size or window gives other bytes. Change them only
 * with a reason.
 */
export const deflateLevel = 3;
const layerBlockSize = 1 << 20;
const windowSize = 32 << 10;

/** Name recorded with a digest of compressed bytes: another name means other bytes. */
export const compressorName = 'gzip-2';

/** Header of RFC 1952: no name, no time, operating system "unknown", so that it is the same on every machine. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** Number of blocks in work at the same time: libuv's default number of threads, and as many that wait for them. */
const mostAtOnce = 8;

export interface DeflateOptions {
  /** Whether to skip the search for repeated strings (Z_HUFFMAN_ONLY). */
  isLiteral: boolean;
  /** Bytes before the block, which its strings may refer to. */
  before: Buffer | undefined;
  /** Whether it is the last block; any other ends at a byte's edge (Z_SYNC_FLUSH). */
  isLast: boolean;
}

/** Compresses one block. */
export type DeflateBlock = (block: Buffer, options: DeflateOptions) => Promise<Buffer>;

/**
 * Gzips a stream deterministically: the same input gives the same bytes on every machine, however many blocks run in
 * parallel. Each block has 1 MiB, its own method, and the 32 KiB before it as its dictionary. All are joined to one
 * deflate stream (RFC 1951). Memory stays at a few blocks. Another block size is for tests of a compressor. `deflate`
 * is node's own zlib, or any function with the same output.
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

/** Stores a block as it is (RFC 1951, 3.2.4): a bit for the last block, the length, and its complement. */
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

/**
 * Compresses with Node's zlib, in libuv's threads: the whole block in one call, because each piece of output costs a
 * round trip to a thread.
 */
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

/**
 * Cuts the stream into blocks of exactly that size, the last one shorter; an empty stream gives one empty block. A
 * chunk that is a block is not copied.
 */
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
