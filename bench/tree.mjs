import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Fills app/ with files of one size and contents that do not repeat: all of them source code, or (with `assets`) nine tenths of the bytes
 * pictures that never change. Answers the files that may change.
 */
export function makeTree(dir, { files, bytes, assets }) {
  const size = Math.floor(bytes / files);
  const changeable = [];
  const perFolder = 100;
  for (let index = 0; index < files; index += 1) {
    const isAsset = assets && index % 10 !== 0;
    const folder = join(dir, 'app', isAsset ? 'assets' : 'src', `folder-${Math.floor(index / perFolder)}`);
    if (index % perFolder < 2) mkdirSync(folder, { recursive: true });
    const file = join(folder, `file-${index}.${isAsset ? 'png' : 'js'}`);
    writeFileSync(file, fill(index, size));
    if (!isAsset) changeable.push(file);
  }
  return { changeable };
}

/** Pseudo-random bytes (xorshift), so that nothing compresses or deduplicates away. */
function fill(seed, size) {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = (seed + 1) * 2654435761;
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, size);
}
