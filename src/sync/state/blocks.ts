import { createHash } from 'node:crypto';

/**
 * Formats a block of a record file: an id, the length of the records in bytes, a digest over both and the records, each
 * ended by NUL; then the records.
 */
export function formatBlock(id: string, records: string): string {
  const length = Buffer.byteLength(records);
  return `${id}\0${length}\0${digestOf(id, Buffer.from(records))}\0${records}`;
}

export interface Blocks {
  /** Id of the last block; undefined without blocks. */
  id: string | undefined;
  /** Records of all blocks, in their order. */
  records: string;
  /** Whether no bytes follow the last block. */
  isWhole: boolean;
}

/** Parses blocks from an offset up to the first truncated or damaged one; the bytes after it are unreliable. */
export function parseBlocks(bytes: Buffer, offset: number): Blocks {
  const records: string[] = [];
  let id: string | undefined;
  let at = offset;
  for (let block = readBlock(bytes, at); block !== undefined; block = readBlock(bytes, at)) {
    records.push(bytes.toString('utf8', block.begin, block.end));
    id = block.id;
    at = block.end;
  }
  return { id, records: records.join(''), isWhole: at === bytes.length };
}

function readBlock(bytes: Buffer, at: number): { id: string; begin: number; end: number } | undefined {
  const length = bytes.indexOf(0, at) + 1;
  const digest = length === 0 ? 0 : bytes.indexOf(0, length) + 1;
  const begin = digest === 0 ? 0 : bytes.indexOf(0, digest) + 1;
  if (begin === 0) return undefined;
  const id = bytes.toString('utf8', at, length - 1);
  const end = begin + Number(bytes.toString('latin1', length, digest - 1));
  if (!(end <= bytes.length)) return undefined;
  const expected = bytes.toString('latin1', digest, begin - 1);
  return digestOf(id, bytes.subarray(begin, end)) === expected ? { id, begin, end } : undefined;
}

function digestOf(id: string, records: Buffer): string {
  return createHash('sha256').update(`${id}\0${records.length}\0`).update(records).digest('hex');
}
