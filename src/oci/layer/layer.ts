import { createHash } from 'node:crypto';
import { GbuildError } from '../../errors.ts';
import type { Digest } from '../digest.ts';
import { arrangeEntries } from '../tar/arrange.ts';
import type { Entry, Whiteout } from '../tar/entry.ts';
import { OpenFile } from '../tar/host-file.ts';
import { slabSize, type TakeSlab, type TarItem, takeFreshSlab, writeTar } from '../tar/tar.ts';
import { makeSlabHasher } from './hasher.ts';

/** Uncompressed layer as a value: its digest is known, and its bytes are made again on each request. */
export interface Layer {
  diffId: Digest;
  /** Size of the tar in bytes. */
  size: number;
  /** Text about the layer in the image's history. */
  createdBy: string;
  /** Tar on disk, for readers that need random access; only `chunks()` checks it. */
  hostFile?: string;
  /**
   * Yields exactly the tar that hashes to diffId, or throws (`workspace-changed`). Each chunk belongs to the caller.
   */
  chunks(): Iterable<Buffer>;
}

/** 1980-01-01T00:00:01Z: one second after the earliest time a zip can hold, so that every tool accepts it. */
export const constantTime = 315532801;

/**
 * Packs the entries into a layer whose bytes depend on paths, contents, link targets and executable bits alone. It is
 * sorted by the bytes of the path, with parents added, owner 0:0, mode 0755 or 0644, and one constant time. Every file
 * is read once now, to hash it, and again in `chunks()`, which throws `workspace-changed` where a file differs from
 * what was hashed.
 */
export function packLayer(entries: readonly (Entry | Whiteout)[], { createdBy }: { createdBy: string }): Layer {
  const arranged = arrangeEntries(entries);
  const expected = arranged.reduce((sum, entry) => sum + 512 + (entry.type === 'file' ? entry.content.size : 0), 0);
  return layerOfItems(() => listItems(arranged), { expected, createdBy });
}

/** Makes a layer of these items, written as they are. Hashes them now, and reads their contents again in `chunks()`. */
export function layerOfItems(
  list: () => Iterable<TarItem>,
  { expected, createdBy }: { expected: number; createdBy: string },
): Layer {
  return layerOfPasses((takeSlab) => writeTar(list(), takeSlab), expected, createdBy);
}

/** Makes the layer of a tar on disk whose digest is known from writing it. */
export function layerOfKnownFile(hostFile: string, layer: { diffId: Digest; size: number; createdBy: string }): Layer {
  return { ...layer, hostFile, chunks: () => verify(readSlabs(hostFile, layer.size, takeFreshSlab), layer.diffId) };
}

function layerOfPasses(write: (takeSlab: TakeSlab) => Iterable<Buffer>, expected: number, createdBy: string): Layer {
  const hasher = makeSlabHasher(expected);
  try {
    let size = 0;
    for (const slab of write(() => hasher.take())) {
      hasher.put(slab);
      size += slab.length;
    }
    const diffId = hasher.finish();
    return { diffId, size, createdBy, chunks: () => verify(write(takeFreshSlab), diffId) };
  } finally {
    hasher.close();
  }
}

function* verify(slabs: Iterable<Buffer>, diffId: Digest): Generator<Buffer> {
  const hash = createHash('sha256');
  let last: Buffer | undefined;
  for (const slab of slabs) {
    if (last !== undefined) yield last;
    hash.update(slab);
    last = slab;
  }
  const found: Digest = `sha256:${hash.digest('hex')}`;
  if (found !== diffId) {
    throw new GbuildError(
      'workspace-changed',
      `a file was rewritten between hashing and sending its layer (${diffId})`,
      {
        suggestions: [
          'Let whatever writes to it finish (a watcher, an editor, another build), then run the command again.',
        ],
        facts: { expected: diffId, found },
      },
    );
  }
  if (last !== undefined) yield last;
}

function* readSlabs(hostFile: string, size: number, takeSlab: TakeSlab): Generator<Buffer> {
  const file = new OpenFile({ hostFile, size });
  try {
    for (let left = size; left > 0; ) {
      const slab = takeSlab();
      const count = file.read(slab, 0, Math.min(left, slabSize));
      left -= count;
      yield slab.subarray(0, count);
    }
    file.expectEnd();
  } finally {
    file.close();
  }
}

function* listItems(entries: Iterable<Entry>): Generator<TarItem> {
  const owner = { uid: 0, gid: 0, mtime: constantTime };
  for (const entry of entries) {
    const { path, type } = entry;
    if (entry.type === 'file') {
      const header = { path, type, mode: entry.executable ? 0o755 : 0o644, ...owner, size: entry.content.size };
      yield { header: header as TarItem['header'], content: entry.content };
    } else if (entry.type === 'symlink') {
      yield { header: { path, type: 'symlink', mode: 0o777, ...owner, size: 0, linkTarget: entry.target } };
    } else {
      yield { header: { path, type: 'directory', mode: 0o755, ...owner, size: 0 } };
    }
  }
}
