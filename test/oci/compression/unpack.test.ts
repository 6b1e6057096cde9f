import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compressionOf, unpack } from '../../../src/oci/compression/unpack.ts';
import { errorOf } from '../../support/assert/error-of.ts';

/** Pieces of any size, as a network hands them over. */
async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unzstd(bytes: Buffer, size = 64 << 10): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of unpack('zstd', cut(bytes, size))) parts.push(part);
  return Buffer.concat(parts);
}

/** RFC 8878, 3.1.2: what a decompressor passes over. */
function skippable(content: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a5e, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, Buffer.from(content)]);
}

const large = Buffer.from(Array.from({ length: 90_000 }, (_, at) => `${at * 7919}`).join());
const runs = Buffer.alloc(500_000, 'x');

describe('zstd', () => {
  it('is unpacked whole, however many frames it has and however it arrives', async () => {
    const frames = [
      skippable('first'),
      zstdCompressSync(large),
      zstdCompressSync(''),
      skippable('between'),
      zstdCompressSync(runs),
      zstdCompressSync('last', { params: { [zstdChecksum]: 1 } }),
      skippable(''),
    ];
    const expected = Buffer.concat([large, runs, Buffer.from('last')]);
    for (const size of [1 << 20, 4096, 7])
      expect((await unzstd(Buffer.concat(frames), size)).equals(expected)).toBe(true);
  });

  it('is unpacked of raw blocks and of a frame header with a size of eight bytes', async () => {
    const header = Buffer.alloc(4 + 1 + 8);
    header.writeUInt32LE(0xfd2fb528, 0);
    header[4] = 0xe0;
    header.writeBigUInt64LE(3n, 5);
    const block = Buffer.from([(3 << 3) | 1, 0, 0, 0x61, 0x62, 0x63]);
    expect(String(await unzstd(Buffer.concat([header, block])))).toBe('abc');
  });

  it.each([
    ['ends in a frame', zstdCompressSync(large).subarray(0, 5000), 'it ends in the middle'],
    ['ends between a frame and its magic', Buffer.concat([zstdCompressSync('a'), Buffer.from('xy')]), 'it ends in the'],
    ['goes on as something else', Buffer.concat([zstdCompressSync('a'), Buffer.from('a tar?')]), 'no frame of zstd'],
    ['is empty', Buffer.alloc(0), 'it is empty'],
  ])('that %s is refused', async (_, bytes, why) => {
    const error = await errorOf(() => unzstd(bytes));
    expect(error).toMatchObject({ code: 'store-failed', message: expect.stringContaining(why) });
  });
});

/** ZSTD_c_checksumFlag. */
const zstdChecksum = 201;

it('a media type says how a layer is compressed, or that nobody here knows', () => {
  const oci = 'application/vnd.oci.image.layer.v1.tar';
  const docker = 'application/vnd.docker.image.rootfs.diff.tar';
  const known = {
    [oci]: 'none',
    [`${oci}+gzip`]: 'gzip',
    [`${oci}+zstd`]: 'zstd',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd': 'zstd',
    [docker]: 'none',
    [`${docker}.gzip`]: 'gzip',
    [`${docker}.zstd`]: 'zstd',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'gzip',
    [`${oci}+gzip+encrypted`]: undefined,
    [`${oci}+xz`]: undefined,
    'application/vnd.in-toto+json': undefined,
  };
  expect(Object.fromEntries(Object.keys(known).map((type) => [type, compressionOf(type)]))).toEqual(known);
});
