import { constants, crc32, deflateRaw } from 'node:zlib';

/** Part of a layer's identity in a registry: another level, block size or window gives other bytes. Never changed lightly. */
export const deflateLevel = 3;
const layerBlockSize = 4 << 20;
const windowSize = 32 << 10;

/** What is written down beside a digest of compressed bytes: another name, other bytes. */
export const compressorName = 'gzip-1';

/** RFC 1952: no name, no time, operating system "unknown", so that no machine shows. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** How many blocks are compressed at once: as many as libuv has threads by default, which is what small machines have too. */
const mostAtOnce = 4;

/** Compresses one block, given the bytes before it; a block that is not the last ends at a byte's edge (Z_SYNC_FLUSH). */
export type DeflateBlock = (block: Buffer, before: Buffer | undefined, isLast: boolean) => Promise<Buffer>;

/**
 * Gzips a stream so that the same bytes in give the same bytes out, on every machine and however many blocks are compressed
 * at once: blocks of 4 MiB, each with the 32 KiB before it as its dictionary, joined to one deflate stream (RFC 1951). Memory
 * stays at some blocks. Another block size is for tests of a compressor alone. `deflate` is node's own zlib, or whatever gives the bytes that this one should.
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
    const compressed = deflate(block, before, isLast);
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

/** Node's zlib, in libuv's threads. */
export const deflateByNode: DeflateBlock = (block, before, isLast) =>
  new Promise((resolve, reject) => {
    const options = {
      level: deflateLevel,
      finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
      ...(before !== undefined && { dictionary: before }),
    };
    deflateRaw(block, options, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });

/** Blocks of exactly that size, the last one shorter; one empty block of nothing. */
async function* cutBlocks(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  blockSize: number,
): AsyncGenerator<{ block: Buffer; isLast: boolean }> {
  let block = Buffer.allocUnsafeSlow(blockSize);
  let at = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      if (at === blockSize) {
        yield { block, isLast: false };
        block = Buffer.allocUnsafeSlow(blockSize);
        at = 0;
      }
      const part = chunk.subarray(from, from + blockSize - at);
      block.set(part, at);
      at += part.length;
      from += part.length;
    }
  }
  yield { block: block.subarray(0, at), isLast: true };
}
