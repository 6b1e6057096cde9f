import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { PlacedFile } from './image-tree.ts';
import type { FileFacts } from './layer-files.ts';

/** Difference of two images in one path. */
export interface FileDifference {
  path: string;
  change: 'added' | 'removed' | 'changed';
  before?: FileFacts;
  after?: FileFacts;
  /** Differences of a changed path. */
  what: ('type' | 'content' | 'target' | 'mode' | 'owner' | 'attributes')[];
}

type Tree = ReadonlyMap<string, PlacedFile>;

/**
 * Lists the paths in which two trees differ, sorted; times do not count. Contents are read only where two files of the
 * same size come from different layers, so that common layers cost nothing.
 */
export async function compareTrees(before: Tree, after: Tree): Promise<FileDifference[]> {
  const differences: FileDifference[] = [];
  for (const path of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === undefined) differences.push({ path, change: 'added', after: factsOf(now!), what: [] });
    else if (now === undefined) differences.push({ path, change: 'removed', before: factsOf(old), what: [] });
    else {
      const what = await compareFiles(old, now);
      if (what.length > 0)
        differences.push({ path, change: 'changed', before: factsOf(old), after: factsOf(now), what });
    }
  }
  return differences;
}

async function compareFiles(old: PlacedFile, now: PlacedFile): Promise<FileDifference['what']> {
  if (old.type !== now.type) return ['type'];
  const what: FileDifference['what'] = [];
  if (!(await isSameContent(old, now))) what.push('content');
  if (old.linkTarget !== now.linkTarget) what.push('target');
  if (old.mode !== now.mode && old.type !== 'symlink') what.push('mode');
  if (old.uid !== now.uid || old.gid !== now.gid) what.push('owner');
  if (textOf(old.attributes) !== textOf(now.attributes)) what.push('attributes');
  return what;
}

async function isSameContent(old: PlacedFile, now: PlacedFile): Promise<boolean> {
  if (old.size !== now.size) return false;
  if (old.size === 0 || (old.layer.diffId === now.layer.diffId && old.offset === now.offset)) return true;
  return (await fingerprintOf(old)) === (await fingerprintOf(now));
}

async function fingerprintOf(file: PlacedFile): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readContent(file)) hash.update(chunk);
  return hash.digest('hex');
}

function readContent({ layer, offset, size }: PlacedFile): AsyncIterable<Buffer> | Iterable<Buffer> {
  if (layer.hostFile !== undefined)
    return createReadStream(layer.hostFile, { start: offset, end: offset + size - 1, highWaterMark: 1 << 18 });
  return cut(layer.chunks(), offset, offset + size);
}

function* cut(chunks: Iterable<Buffer>, start: number, end: number): Generator<Buffer> {
  let at = 0;
  for (const chunk of chunks) {
    yield chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    at += chunk.length;
  }
}

function textOf(attributes: Record<string, string> | undefined): string {
  return JSON.stringify(Object.entries(attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function factsOf({ layer, offset, mtime, ...facts }: PlacedFile): FileFacts {
  return facts;
}
