/** Part of a stream that was cut at its marks. */
export type StreamPart = { kind: 'data'; bytes: Buffer } | { kind: 'mark'; words: string[] };

/**
 * Cuts a stream at lines that begin with a token, also in the middle of another line. Bytes are passed on as soon as
 * they cannot belong to a token.
 */
export class MarkedStream {
  readonly #token: Buffer;
  #rest: Buffer = Buffer.alloc(0);

  constructor(token: string) {
    this.#token = Buffer.from(`${token} `);
  }

  /** Returns pieces of the chunk; held bytes are copied. */
  cut(chunk: Buffer): StreamPart[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const parts: StreamPart[] = [];
    let at = 0;
    for (;;) {
      const start = bytes.indexOf(this.#token, at);
      const open = start === -1 ? this.#findOpenEnd(bytes, at) : start;
      if (open > at) parts.push({ kind: 'data', bytes: bytes.subarray(at, open) });
      const end = start === -1 ? -1 : bytes.indexOf(10, start);
      if (end === -1) {
        this.#rest = Buffer.from(bytes.subarray(open));
        return parts;
      }
      const words = bytes.toString('utf8', start + this.#token.length, end).split(' ');
      parts.push({ kind: 'mark', words });
      at = end + 1;
    }
  }

  /** Returns the position where the last bytes may be the beginning of a token. */
  #findOpenEnd(bytes: Buffer, from: number): number {
    for (let at = Math.max(from, bytes.length - this.#token.length + 1); at < bytes.length; at += 1) {
      const length = bytes.length - at;
      if (bytes.compare(this.#token, 0, length, at) === 0) return at;
    }
    return bytes.length;
  }
}
