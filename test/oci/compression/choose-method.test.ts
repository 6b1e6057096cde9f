import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { chooseMethod } from '../../../src/oci/compression/choose-method.ts';
import { deflateByPako } from '../../../src/oci/compression/deflate.ts';
import { type DeflateBlock, deflateByNode, gzip } from '../../../src/oci/compression/gzip.ts';

const mega = 1 << 20;
const text = readFileSync(new URL('../../../package-lock.json', import.meta.url));
const program = readFileSync(process.execPath).subarray(8 * mega, 10 * mega);
const random = randomBytes(2 * mega);
/** As a jar is: compressed already, with names between. */
const archive = Buffer.concat([gzipSync(program), gzipSync(text), gzipSync(random)]);

const corpus: Record<string, Buffer> = {
  text,
  program,
  random,
  archive,
  zeros: Buffer.alloc(2 * mega),
  base64: Buffer.from(random.toString('base64')),
  hex: Buffer.from(random.toString('hex')),
  'half random, half text': Buffer.concat([random.subarray(0, text.length), text]),
};

async function gzipped(bytes: Buffer, deflate: DeflateBlock, blockSize?: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of gzip([bytes], deflate, blockSize)) parts.push(part);
  return Buffer.concat(parts);
}

describe('a block is compressed', () => {
  it.each([
    ['text', 'match'],
    ['program', 'match'],
    ['zeros', 'match'],
    ['base64', 'huffman'],
    ['hex', 'huffman'],
    ['random', 'store'],
  ])('for %s by the method %s', (name, method) => {
    const bytes = corpus[name]!;
    for (const size of [mega, 300_000, 40_000]) expect(chooseMethod(bytes.subarray(0, size))).toBe(method);
  });

  it.each(Object.keys(corpus))('to about what level 3 alone makes of it, or less: %s', async (name) => {
    const bytes = corpus[name]!;
    const packed = await gzipped(bytes, deflateByNode);
    expect(packed.length).toBeLessThan(1.005 * gzipSync(bytes, { level: 3 }).length);
    expect(gunzipSync(packed).equals(bytes)).toBe(true);
  });

  it.each(Object.keys(corpus))('to the same bytes by what stands in for zlib: %s', async (name) => {
    for (const size of [0, 1, 2, 5, 2048, 65_535, 65_536, 65_537, 300_001]) {
      const bytes = corpus[name]!.subarray(0, size);
      const packed = await gzipped(bytes, deflateByNode, 100_000);
      expect([size, packed.equals(await gzipped(bytes, deflateByPako, 100_000))]).toEqual([size, true]);
      expect([size, gunzipSync(packed).equals(bytes)]).toEqual([size, true]);
    }
  });
});
