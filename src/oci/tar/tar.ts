import type { Content } from './entry.ts';
import { type HostFileContent, OpenFile } from './host-file.ts';
import { blockSize, encodeExtension, type TarHeader, UstarEncoder } from './tar-header.ts';

export type { TarHeader } from './tar-header.ts';

/** Size of the pieces in which a tar is written, about 1 MiB; a multiple of the block size. */
export const slabSize = 1 << 20;

/** Returns the memory for the writer's next slab. */
export type TakeSlab = () => Buffer;

/** Returns a slab that is never written again, and so is safe to keep. */
export function takeFreshSlab(): Buffer {
  return Buffer.allocUnsafeSlow(slabSize);
}

export interface TarItem {
  header: TarHeader;
  /** Exactly `header.size` bytes; none for an entry without content. */
  content?: Content | HostFileContent | undefined;
}

/**
 * Writes a tar, with its two final zero blocks, as slabs of at most 1 MiB. The items decide every byte: only the
 * content of a file is read. It is synchronous, because a hundred thousand small reads through promises take 5-9 times
 * as long. Throws `workspace-changed` for a file that vanished, grew or shrank, `workspace-unreadable` for one that
 * cannot be opened.
 */
export function* writeTar(items: Iterable<TarItem>, takeSlab: TakeSlab = takeFreshSlab): Generator<Buffer> {
  const encoder = new UstarEncoder();
  const out = new SlabWriter(takeSlab);
  for (const { header, content } of items) {
    const extension = encodeExtension(header, encoder);
    if (extension !== undefined) yield* out.writeBytes(extension);
    if (out.room === 0) yield* out.flush();
    encoder.write(out.slab, out.at, header);
    out.at += blockSize;
    if (content === undefined) continue;
    if ('bytes' in content) yield* out.writeBytes(content.bytes);
    else if (!out.writeSmallFile(content)) yield* out.writeFile(content);
  }
  yield* out.writeBytes(endOfArchive);
  yield out.slab.subarray(0, out.at);
}

/** Returns the number of zeros between a content of this size and the next block. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

export const endOfArchive: Uint8Array = new Uint8Array(2 * blockSize);

/** Fills slabs block by block; `at` is always a multiple of the block size between two calls. */
class SlabWriter {
  slab: Buffer;
  at = 0;
  readonly #takeSlab: TakeSlab;

  constructor(takeSlab: TakeSlab) {
    this.#takeSlab = takeSlab;
    this.slab = takeSlab();
  }

  get room(): number {
    return this.slab.length - this.at;
  }

  *flush(): Generator<Buffer> {
    yield this.slab.subarray(0, this.at);
    this.slab = this.#takeSlab();
    this.at = 0;
  }

  *writeBytes(bytes: Uint8Array): Generator<Buffer> {
    for (let from = 0; from < bytes.length; ) {
      if (this.room === 0) yield* this.flush();
      const part = bytes.subarray(from, from + this.room);
      this.slab.set(part, this.at);
      this.at += part.length;
      from += part.length;
    }
    this.#pad(bytes.length);
  }

  /**
   * Writes the common case without a generator: the whole file fits into this slab. Reads one byte more, to detect a
   * grown file.
   */
  writeSmallFile(content: HostFileContent): boolean {
    if (content.size >= this.room) return false;
    const file = new OpenFile(content);
    try {
      this.at += file.readAll(this.slab, this.at);
    } finally {
      file.close();
    }
    this.#pad(content.size);
    return true;
  }

  *writeFile(content: HostFileContent): Generator<Buffer> {
    const file = new OpenFile(content);
    try {
      for (let left = content.size; left > 0; ) {
        if (this.room === 0) yield* this.flush();
        const count = file.read(this.slab, this.at, Math.min(left, this.room));
        this.at += count;
        left -= count;
      }
      file.expectEnd();
    } finally {
      file.close();
    }
    this.#pad(content.size);
  }

  /** A slab may be a used one: its old bytes must be overwritten. */
  #pad(size: number): void {
    const end = this.at + paddingOf(size);
    this.slab.fill(0, this.at, end);
    this.at = end;
  }
}
