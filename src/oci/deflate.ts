import { type Digest, digestOf } from './digest.ts';
import { type DeflateBlock, deflateByNode, deflateLevel, gzip } from './gzip.ts';

/** What the self-test's bytes are to hash to, on every machine and for all time. */
const goldenDigest: Digest = 'sha256:ed74013924dcd52fc3c39c678975757b67946be3523e9a52429269ca880ed36c';

let chosen: Promise<DeflateBlock> | undefined;

/**
 * The compressor of this process: node's zlib where it gives the bytes that releases are made of, else pako, which does so
 * everywhere and takes three times as long. A Node may be linked to another zlib, and its bytes are then other ones.
 */
export function chooseDeflate(): Promise<DeflateBlock> {
  chosen ??= isGolden(deflateByNode).then((isRight) => (isRight ? deflateByNode : deflateByPako));
  return chosen;
}

/** Compresses some small blocks of made-up text by either method, and looks at the digest: a few milliseconds. */
export async function isGolden(deflate: DeflateBlock): Promise<boolean> {
  const parts: Buffer[] = [];
  for await (const part of gzip([makeText(), makeLetters()], deflate, blockSize)) parts.push(part);
  return digestOf(Buffer.concat(parts)) === goldenDigest;
}

/** The same by pako: zlib's own algorithm in JavaScript. */
export const deflateByPako: DeflateBlock = async (block, { isLiteral, before, isLast }) => {
  const { Deflate } = await import('pako');
  const options = { raw: true, level: deflateLevel, strategy: isLiteral ? 2 : 0 } as const;
  const deflate = new Deflate({ ...options, ...(before !== undefined && { dictionary: before }) });
  const chunks: Uint8Array[] = [];
  deflate.onData = (chunk) => void chunks.push(chunk);
  // Z_FINISH and Z_SYNC_FLUSH; above, Z_HUFFMAN_ONLY.
  deflate.push(block, isLast ? 4 : 2);
  return Buffer.concat(chunks);
};

/** Words that come again at changing distances, and noise. */
function makeText(): Buffer {
  const text = Buffer.alloc(3 * blockSize + 16);
  const next = makeNumbers();
  for (let at = 0; at < 3 * blockSize; at += 8) {
    const number = next();
    text.write(words[(number >>> 16) % words.length]!, at, 'latin1');
    if (number >>> 28 === 0) text.writeUInt32LE(number, at);
  }
  return text.subarray(0, 3 * blockSize);
}

/** Letters in no order. */
function makeLetters(): Buffer {
  const next = makeNumbers();
  const letters = Buffer.alloc(blockSize);
  for (let at = 0; at < blockSize; at += 1) letters[at] = 48 + (next() >>> 26);
  return letters;
}

function makeNumbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state;
  };
}

const blockSize = 100_000;
const words = ['layer', 'digest', 'config', 'image', 'engine', 'lock', 'spec', 'release'];
