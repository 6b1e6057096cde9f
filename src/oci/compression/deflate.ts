import { createCipheriv } from 'node:crypto';
import { type Digest, digestOf } from '../digest.ts';
import { type DeflateBlock, deflateByNode, deflateLevel, gzip } from './gzip.ts';

/** Digest of the self-test's bytes, the same on every machine and for all time. */
const goldenDigest: Digest = 'sha256:e46f1dd2bcb0b1e042e70016ae3cfe5f31ff0ac227654701650e1a2f93059991';

let chosen: Promise<DeflateBlock> | undefined;

/**
 * Chooses the compressor of this process: node's zlib where it gives exactly the bytes of gbuild's releases, else pako.
 * pako gives them everywhere and takes three times as long. A Node may be linked to another zlib with different bytes.
 */
export function chooseDeflate(): Promise<DeflateBlock> {
  chosen ??= isGolden(deflateByNode).then((isRight) => (isRight ? deflateByNode : deflateByPako));
  return chosen;
}

/** Compresses some small blocks of generated text by both methods, and compares the digest: a few milliseconds. */
export async function isGolden(deflate: DeflateBlock): Promise<boolean> {
  const parts: Buffer[] = [];
  for await (const part of gzip([makeText()], deflate, blockSize)) parts.push(part);
  return digestOf(Buffer.concat(parts)) === goldenDigest;
}

/** Compresses by pako, zlib's own algorithm in JavaScript. */
export const deflateByPako: DeflateBlock = async (block, { isLiteral, before, isLast }) => {
  const { Deflate } = await import('pako');
  const options = { raw: true, level: deflateLevel, strategy: isLiteral ? 2 : 0 } as const;
  const deflate = new Deflate({ ...options, ...(before !== undefined && { dictionary: before }) });
  const chunks: Uint8Array[] = [];
  deflate.onData = (chunk) => void chunks.push(chunk);
  // Constants Z_FINISH and Z_SYNC_FLUSH; above, Z_HUFFMAN_ONLY.
  deflate.push(block, isLast ? 4 : 2);
  return Buffer.concat(chunks);
};

/**
 * Generates random letters, then pieces of them again at changing distances: a block for each method, large enough for
 * the window to move.
 */
function makeText(): Buffer {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(blockSize));
  const text = Buffer.alloc(3 * blockSize);
  text.write(noise.toString('base64'), 0, blockSize, 'latin1');
  for (let at = blockSize, turn = 0; at < text.length; turn += 1) {
    const [back, length] = [noise.readUInt16LE(2 * turn) >>> 1, 4 + (noise[2 * turn]! >>> 2)];
    at += text.copy(text, at, at - back - length, at - back);
  }
  return text;
}

const blockSize = 40_000;
