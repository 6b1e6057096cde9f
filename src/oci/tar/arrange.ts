import { GbuildError } from '../../errors.ts';
import type { Entry, Whiteout } from './entry.ts';

/**
 * Sorts the entries by the bytes of their paths, the only order of a layer, and adds missing parents, each path once.
 * Throws `usage` for a duplicate path, a path below a file or link, and a path that an image layer cannot hold.
 */
export function arrangeEntries(given: readonly (Entry | Whiteout)[]): Entry[] {
  for (const { path } of given) checkPath(path);
  const entries = given.map(placeWhiteout);
  const sorted = [...entries, ...missingParents(entries)].sort((a, b) => compareBytes(a.path, b.path));
  const folders = new Set<string>();
  const arranged: Entry[] = [];
  let last: Entry | undefined;
  let folder = '';
  for (const entry of sorted) {
    if (last !== undefined && last.path === entry.path) {
      if (last.type !== 'directory' || entry.type !== 'directory') throw givenTwice(entry.path);
      continue;
    }
    const parent = parentOf(entry.path);
    if (parent !== folder) {
      if (parent !== '' && !folders.has(parent)) throw notAFolder(entry.path, parent);
      folder = parent;
    }
    if (entry.type === 'directory') folders.add(entry.path);
    arranged.push(entry);
    last = entry;
  }
  return arranged;
}

/** Turns a whiteout into an empty file whose name says what is deleted; no path of a workspace may have such a name. */
function placeWhiteout(entry: Entry | Whiteout): Entry {
  if (entry.type !== 'whiteout') return entry;
  const parent = parentOf(entry.path);
  const name = `.wh.${entry.path.slice(parent === '' ? 0 : parent.length + 1)}`;
  const content = { bytes: new Uint8Array(), size: 0 };
  return { path: parent === '' ? name : `${parent}/${name}`, type: 'file', executable: false, content };
}

/** Compares the UTF-8 bytes, which differ from JavaScript's order outside of the basic plane. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  return beyondBasicPlane.test(a) || beyondBasicPlane.test(b)
    ? Buffer.compare(Buffer.from(a), Buffer.from(b))
    : a < b
      ? -1
      : 1;
}

const beyondBasicPlane = /[\ud800-\udfff]/;

/** Returns the part before the last '/', '' at the top. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

function missingParents(entries: readonly Entry[]): Entry[] {
  const given = new Set<string>();
  for (const { path, type } of entries) if (type !== 'file') given.add(path);
  const missing: Entry[] = [];
  let last = '';
  for (const { path } of entries) {
    const parent = parentOf(path);
    if (parent === last) continue;
    last = parent;
    for (let folder = parent; folder !== '' && !given.has(folder); folder = parentOf(folder)) {
      given.add(folder);
      missing.push({ path: folder, type: 'directory' });
    }
  }
  return missing;
}

const badSegment = /(?:^|\/)(?:\.{0,2}(?:\/|$)|\.wh\.)|\0/;

function checkPath(path: string): void {
  if (!badSegment.test(path)) return;
  const why = /(?:^|\/)\.wh\./.test(path)
    ? 'a name starting with .wh. means a deletion in an image layer (OCI layer.md, "Whiteouts")'
    : 'expected a relative path without empty, "." or ".." parts';
  throw new GbuildError('usage', `${JSON.stringify(path)} cannot be in an image layer: ${why}`, { facts: { path } });
}

function givenTwice(path: string): GbuildError {
  const message = `two entries of one image layer have the path ${JSON.stringify(path)}`;
  return new GbuildError('usage', message, { facts: { path } });
}

function notAFolder(path: string, parent: string): GbuildError {
  const message = `${JSON.stringify(path)} cannot be in an image layer: ${JSON.stringify(parent)} is given too, and is not a folder`;
  return new GbuildError('usage', message, { facts: { path, parent } });
}
