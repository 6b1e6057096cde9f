import { type Digest, digestOf } from './digest.ts';
import { type DeflateBlock, deflateByNode, deflateLevel, gzip } from './gzip.ts';

/** What the self-test's bytes are to hash to, on every machine and for all time. */
const goldenDigest: Digest = 'sha256:7c3d29b1c7fe7b2c3b5d61c129fdc6ef1640e33dbd16cc90f7da41b17fa5047f';

let chosen: Promise<DeflateBlock> | undefined;

/**
 * The compressor of this process: node's zlib where it gives the bytes that releases are made of, else pako, which does so
 * everywhere and takes three times as long. A Node may be linked to another zlib, and its bytes are then other ones.
 */
export function chooseDeflate(): Promise<DeflateBlock> {
  chosen ??= isGolden(deflateByNode).then((isRight) => (isRight ? deflateByNode : deflateByPako));
  return chosen;
}

/** Compresses some small blocks of made-up text, all but one with a dictionary, and looks at the digest: a few milliseconds. */
export async function isGolden(deflate: DeflateBlock): Promise<boolean> {
  const parts: Buffer[] = [];
  for await (const part of gzip([makeText()], deflate, textSize / 4)) parts.push(part);
  return digestOf(Buffer.concat(parts)) === goldenDigest;
}

/** The same by pako: zlib's own algorithm in JavaScript. */
export const deflateByPako: DeflateBlock = async (block, before, isLast) => {
  const { Deflate } = await import('pako');
  const deflate = new Deflate({ raw: true, level: deflateLevel, ...(before !== undefined && { dictionary: before }) });
  const chunks: Uint8Array[] = [];
  deflate.onData = (chunk) => void chunks.push(chunk);
  // Z_FINISH and Z_SYNC_FLUSH.
  deflate.push(block, isLast ? 4 : 2);
  return Buffer.concat(chunks);
};

/** Words that come again at changing distances, and noise. */
function makeText(): Buffer {
  const text = Buffer.alloc(textSize + 16);
  let state = 1;
  for (let at = 0; at < textSize; at += 8) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    text.write(words[(state >>> 16) % words.length]!, at, 'latin1');
    if (state >>> 28 === 0) text.writeUInt32LE(state, at);
  }
  return text.subarray(0, textSize);
}

const textSize = 400_000;
const words = ['layer', 'digest', 'config', 'image', 'engine', 'lock', 'spec', 'release'];
