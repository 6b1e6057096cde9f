import { gunzipSync } from 'node:zlib';
import { listZip, openEntry, rangeOfBytes } from '../attest/packages/zip.ts';
import type { SecretSearch } from './secret-search.ts';

/** Size in bytes above which a packed file is not unpacked; its packed bytes were searched. */
export const mostUnpacked: number = 256 << 20;
const deepest = 3;

/** Whether a zip (a jar) or a gzip begins here. */
export function startsPacked(bytes: Uint8Array): boolean {
  const [first, second, third, fourth] = bytes;
  if (first === 0x1f && second === 0x8b) return true;
  return first === 0x50 && second === 0x4b && third === 3 && fourth === 4;
}

/** Searches the contents of a zip or a gzip, and those packed inside: `!/entry` names the entry. */
export function searchPacked(bytes: Buffer, search: SecretSearch, depth = 0): { secret: string; path: string }[] {
  return [...unpack(bytes)].flatMap(({ path, content }) => {
    const own = search.findIn(content).map((secret) => ({ secret, path }));
    if (depth === deepest || !startsPacked(content)) return own;
    return [...own, ...searchPacked(content, search, depth + 1).map((each) => ({ ...each, path: path + each.path }))];
  });
}

function* unpack(bytes: Buffer): Generator<{ path: string; content: Buffer }> {
  if (bytes[0] === 0x1f) {
    const content = tryToGunzip(bytes);
    if (content !== undefined) yield { path: ' (unpacked)', content };
    return;
  }
  const range = rangeOfBytes(bytes);
  for (const entry of listZip(range) ?? []) {
    const content = openEntry(range, entry);
    if (content !== undefined) yield { path: `!/${entry.name}`, content: content.read(0, content.size) };
  }
}

function tryToGunzip(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: mostUnpacked });
  } catch {
    return undefined;
  }
}
