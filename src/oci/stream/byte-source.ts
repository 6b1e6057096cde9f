import type { GbuildError } from '../../errors.ts';

/** Stream read by byte counts; `fail` makes the error for one that ends too early. */
export class ByteSource {
  position = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #fail: (why: string) => GbuildError;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>, fail: (why: string) => GbuildError) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#fail = fail;
  }

  /** Takes exactly `length` bytes; undefined at a clean end where that is allowed. */
  async take(length: number, mayEnd = false): Promise<Buffer | undefined> {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0; ) {
      const part = await this.#next(left);
      if (part === undefined) {
        if (mayEnd && left === length) return undefined;
        throw this.#fail('it ends in the middle');
      }
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 ? Buffer.from(parts[0]!.buffer, parts[0]!.byteOffset, length) : Buffer.concat(parts);
  }

  async *until(end: number): AsyncGenerator<Uint8Array> {
    while (this.position < end) {
      const part = await this.#next(end - this.position);
      if (part === undefined) throw this.#fail('it ends in the middle');
      yield part;
    }
  }

  async skip(length: number): Promise<void> {
    for (const end = this.position + length; this.position < end; ) {
      if ((await this.#next(end - this.position)) === undefined) throw this.#fail('it ends in the middle');
    }
  }

  /** Reads to the end, so that a producer's pipe does not break. */
  async drain(): Promise<void> {
    while ((await this.#next(Number.MAX_SAFE_INTEGER)) !== undefined);
  }

  /** Tells the producer that the reading has ended. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(atMost: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, atMost);
    this.#rest = this.#rest.subarray(part.length);
    this.position += part.length;
    return part;
  }
}
