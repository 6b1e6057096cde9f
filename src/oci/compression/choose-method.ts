/**
 * Method of compressing a block. `match` searches repeated strings. `huffman` uses only the frequency of bytes (text of
 * random letters). `store` keeps the bytes (jars, archives, pictures).
 */
export type Method = 'match' | 'huffman' | 'store';

/** Sample of a block: so many windows of this size, evenly spread, 1.6 % of it. */
const windows = 16;
const windowSize = 1024;

/** Least length of a string; shorter ones repeat in any data. */
const shortest = 5;

/** With less than a 64th of the sample in repeated strings, searching them costs most of the time and saves nothing. */
const leastMatched = 64;

/** Limit for bytes of about equal frequency: at most 2 % could be saved. */
const mostUneven = 1.1;

const slots = 12;

/**
 * Judges a block by its bytes and by integers only, because the compressed layer depends on it: every machine must come
 * to the same result. Searching for matches where there are none takes four fifths of the compression's time.
 */
export function chooseMethod(block: Buffer): Method {
  const lastAt = new Int32Array(1 << slots).fill(-1);
  const counts = new Uint32Array(256);
  const step = Math.max(windowSize, Math.floor(block.length / windows));
  let sampled = 0;
  let matched = 0;
  for (let start = 0; start < block.length; start += step) {
    const end = Math.min(block.length, start + windowSize);
    sampled += end - start;
    for (let at = start; at < end; at += 1) counts[block[at]!]! += 1;
    matched += countMatched(block, start, end, lastAt);
  }
  if (matched * leastMatched >= sampled) return 'match';
  const squares = counts.reduce((sum, count) => sum + count * count, 0);
  return squares * 256 < sampled * sampled * mostUneven ? 'store' : 'huffman';
}

/** Counts the window's bytes in repeated strings; greedy, by the last position with the same hash. */
function countMatched(block: Buffer, start: number, end: number, lastAt: Int32Array): number {
  let matched = 0;
  for (let at = start; at + shortest <= end; ) {
    const word = block.readInt32LE(at);
    const slot = Math.imul(word ^ Math.imul(block[at + 4]!, 0x9e3779b1), 0x9e3779b1) >>> (32 - slots);
    const before = lastAt[slot]!;
    lastAt[slot] = at;
    let length = 0;
    if (before >= start && block.readInt32LE(before) === word) {
      length = 4;
      while (at + length < end && block[at + length] === block[before + length]) length += 1;
    }
    if (length < shortest) length = 0;
    matched += length;
    at += Math.max(1, length);
  }
  return matched;
}
