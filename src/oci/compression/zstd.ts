import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { GbuildError } from '../../errors.ts';
import { ByteSource } from '../stream/byte-source.ts';

/** Start of a frame (RFC 8878, 3.1.1). */
export const frameMagic = 0xfd2fb528;

/** Start of a skippable frame (RFC 8878, 3.1.2); the lower four bits are arbitrary. */
const skippableMagic = 0x184d2a50;

/**
 * Unpacks zstd with all its frames. Parallel compressors and zstd:chunked write many, and Node's own stream silently
 * ends after the first.
 */
export async function* unzstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (createZstdDecompress === undefined)
    throw new GbuildError('usage', `zstd cannot be read by Node ${process.versions.node}: it needs 22.15 or later`, {
      suggestions: ['npm install -g node@24'],
    });
  const source = new ByteSource(chunks, badZstd);
  let frames = 0;
  try {
    for (; ; frames += 1) {
      const magic = await source.take(4, true);
      if (magic === undefined) break;
      if ((magic.readUInt32LE() & 0xfffffff0) >>> 0 === skippableMagic)
        await source.skip((await source.take(4))!.readUInt32LE());
      else if (magic.readUInt32LE() === frameMagic) yield* unpackFrame(readFrame(magic, source));
      else throw badZstd('no frame of zstd begins where one should');
    }
    if (frames === 0) throw badZstd('it is empty');
  } finally {
    await source.close();
  }
}

/** Yields the bytes of one frame (RFC 8878, 3.1.1). */
async function* readFrame(magic: Buffer, source: ByteSource): AsyncGenerator<Uint8Array> {
  const descriptor = (await source.take(1))!;
  const bits = descriptor[0]!;
  const isSingleSegment = (bits & 0x20) !== 0;
  const sizeLength = [isSingleSegment ? 1 : 0, 2, 4, 8][bits >> 6]!;
  const headerLength = (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][bits & 3]! + sizeLength;
  yield Buffer.concat([magic, descriptor, (await source.take(headerLength)) ?? Buffer.alloc(0)]);
  for (let isLast = false; !isLast; ) {
    const header = (await source.take(3))!;
    const block = header.readUIntLE(0, 3);
    isLast = (block & 1) === 1;
    // A block of type 1 is one byte and its number of repetitions.
    const length = ((block >> 1) & 3) === 1 ? 1 : block >> 3;
    yield Buffer.from(header);
    if (length > 0) yield (await source.take(length))!;
  }
  if ((bits & 4) !== 0) yield (await source.take(4))!;
}

async function* unpackFrame(frame: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const [source, unpacked] = [Readable.from(frame), createZstdDecompress()];
  const passed = pipeline(source, unpacked);
  passed.catch(() => undefined);
  try {
    yield* unpacked;
    await passed;
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

function badZstd(why: string): GbuildError {
  return new GbuildError('store-failed', `what should be zstd cannot be read: ${why}`);
}
