/**
 * Method that makes a block smaller. `match`: strings that come again. `huffman`: nothing does, but some bytes are frequenter than
 * others (text of random letters). `store`: neither (jars, archives, pictures).
 */
export type Method = 'match' | 'huffman' | 'store';

/** A block is judged by so many windows of this size, evenly spread: 1.6 % of it. */
const windows = 16;
const windowSize = 1024;

/** Shorter ones are found in anything. */
const shortest = 5;

/** With less than a 64th of the sample in repeated strings, looking for them costs most of the time and brings nothing. */
const leastMatched = 64;

/** Bytes about as frequent as chance makes them: at most 2 % could be saved. */
const mostUneven = 1.1;

const slots = 12;

/**
 * Judges a block by its bytes alone and by whole numbers alone, for what a layer is compressed to depends on it: every machine
 * must come to the same. Searching for matches where there are none is four fifths of the time that compressing takes.
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

/** Bytes of the window that repeat a string of it; greedy, by the last place with the same hash. */
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
