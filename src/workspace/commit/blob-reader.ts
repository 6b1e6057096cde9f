/** Reads the output of `git cat-file --batch`: a line `OBJECT blob SIZE` for each blob, its bytes and a line end. */
export class BlobReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Returns the size of the next blob in bytes; `read` must follow. */
  async next(): Promise<number> {
    let end = this.#rest.indexOf('\n');
    while (end === -1) {
      await this.#fill();
      end = this.#rest.indexOf('\n');
    }
    const line = this.#rest.subarray(0, end).toString();
    this.#rest = this.#rest.subarray(end + 1);
    const size = /^[0-9a-f]+ blob (\d+)$/.exec(line)?.[1];
    if (size === undefined) throw new Error(`git says: ${line}`);
    return Number(size);
  }

  async *read(size: number): AsyncGenerator<Buffer, void> {
    for (let left = size; left > 0; ) {
      if (this.#rest.length === 0) await this.#fill();
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
    if (this.#rest.length === 0) await this.#fill();
    this.#rest = this.#rest.subarray(1);
  }

  /** Ends the reading. Throws where git failed. */
  async end(): Promise<void> {
    while ((await this.#chunks.next()).done !== true);
  }

  async #fill(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done === true) throw new Error('git ended before it had answered');
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
  }
}
