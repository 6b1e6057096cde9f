import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { GbuildError } from '../../errors.ts';

const pieceSize = 1 << 18;

/** File read by byte counts, as ByteSource reads a stream; skipped bytes are not read. */
export class FileSource {
  position = 0;
  readonly #fd: number;
  readonly #size: number;
  readonly #fail: (why: string) => GbuildError;

  constructor(hostFile: string, fail: (why: string) => GbuildError) {
    this.#fd = openSync(hostFile, 'r');
    this.#size = fstatSync(this.#fd).size;
    this.#fail = fail;
  }

  /** Takes exactly `length` bytes; undefined at a clean end where that is allowed. */
  async take(length: number, mayEnd = false): Promise<Buffer | undefined> {
    if (mayEnd && this.position === this.#size) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.#fd, bytes, done, length - done, this.position + done);
      if (count === 0) throw this.#tooShort();
      done += count;
    }
    this.position += length;
    return bytes;
  }

  async *until(end: number): AsyncGenerator<Uint8Array> {
    while (this.position < end) yield (await this.take(Math.min(pieceSize, end - this.position)))!;
  }

  async skip(length: number): Promise<void> {
    this.position += length;
    if (this.position > this.#size) throw this.#tooShort();
  }

  async drain(): Promise<void> {}

  async close(): Promise<void> {
    closeSync(this.#fd);
  }

  #tooShort(): GbuildError {
    return this.#fail('it ends in the middle');
  }
}
