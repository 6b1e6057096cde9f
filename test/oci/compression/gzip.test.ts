import { execFileSync } from 'node:child_process';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { deflateByPako, isGolden } from '../../../src/oci/compression/deflate.ts';
import { type DeflateBlock, deflateByNode, deflateLevel, gzip } from '../../../src/oci/compression/gzip.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { asStream } from '../../support/images/tree.ts';

const block = 1 << 20;

/** Bytes that compress, and are nowhere the same. */
function makeBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 16) bytes.writeUInt32LE(Math.imul(at, 2654435761) >>> 8, at);
  return bytes;
}

async function gzipped(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, deflate: DeflateBlock, size = block) {
  const parts: Buffer[] = [];
  for await (const part of gzip(chunks, deflate, size)) parts.push(part);
  return Buffer.concat(parts);
}

describe('gzip', () => {
  it.each([0, 1, 100_000, block - 1, block, block + 1, 3 * block + 7])(
    'of %i bytes is unpacked by gzip itself',
    async (size) => {
      const bytes = makeBytes(size);
      const unpacked = execFileSync('gzip', ['-dc'], { input: await gzipped([bytes], deflateByNode), maxBuffer: 1e9 });
      expect(digestOf(unpacked)).toBe(digestOf(bytes));
    },
  );

  it('gives the same bytes however they come, and whichever block is done first', async () => {
    const bytes = makeBytes(2 * block + 12_345);
    const pieces: Buffer[] = [];
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 1_000_003)
      pieces.push(bytes.subarray(at, at + size));
    let turn = 0;
    const lateFirst: DeflateBlock = async (...given) => {
      const patience = [60, 0, 20][turn++ % 3];
      await new Promise((resolve) => setTimeout(resolve, patience));
      return deflateByNode(...given);
    };
    const expected = digestOf(await gzipped([bytes], deflateByNode));
    expect(digestOf(await gzipped(asStream(pieces), lateFirst))).toBe(expected);
  });

  it('has no time, name or system in its header', async () => {
    expect((await gzipped([], deflateByNode)).subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
  });

  it('throws what its source throws, and what a block throws', async () => {
    async function* broken() {
      yield makeBytes(block + 1);
      throw new Error('the source broke');
    }
    await expect(gzipped(broken(), deflateByNode)).rejects.toThrow('the source broke');
    await expect(gzipped([makeBytes(block + 1)], () => Promise.reject(new Error('no memory')))).rejects.toThrow(
      'no memory',
    );
  });
});

describe('the compressor', () => {
  it('of this Node gives the bytes that releases are made of, and so does the one that stands in for it', async () => {
    expect([await isGolden(deflateByNode), await isGolden(deflateByPako)]).toEqual([true, true]);
  });

  it.each([
    ['searches longer', { level: 4 }],
    ['knows no blocks without matches', { strategy: constants.Z_DEFAULT_STRATEGY }],
  ])('of a Node with another zlib is found out, one that %s', async (_, other) => {
    const another: DeflateBlock = async (bytes, { isLiteral, before, isLast }) =>
      deflateRawSync(bytes, {
        level: deflateLevel,
        strategy: isLiteral ? constants.Z_HUFFMAN_ONLY : constants.Z_DEFAULT_STRATEGY,
        finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
        ...(before !== undefined && { dictionary: before }),
        ...other,
      });
    expect(await isGolden(another)).toBe(false);
  });
});
