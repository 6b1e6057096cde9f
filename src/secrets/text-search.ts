/** Occurrence of one of the texts in a buffer. */
export interface Occurrence {
  /** Index of the text. */
  text: number;
  start: number;
  end: number;
}

/**
 * Finds many texts in one pass (Wu and Manber, "A fast algorithm for multi-pattern searching", 1994). A table over
 * pairs of bytes tells how far the shortest text may be shifted, so most bytes are never read.
 */
export class TextSearch {
  readonly longest: number;
  readonly #texts: Buffer[];
  /** Number of bytes of each text in the tables: the length of the shortest. */
  readonly #window: number;
  readonly #shifts: Uint8Array;
  /** Texts by the pair of bytes at the end of their windows. */
  readonly #candidates = new Map<number, number[]>();

  /** Builds the tables; each text has at least two bytes. */
  constructor(texts: Buffer[]) {
    this.#texts = texts;
    this.longest = Math.max(0, ...texts.map(({ length }) => length));
    this.#window = Math.min(255, ...texts.map(({ length }) => length));
    this.#shifts = new Uint8Array(1 << 16).fill(this.#window - 1);
    for (const [index, text] of texts.entries()) this.#learn(index, text);
  }

  /** Yields every occurrence, overlapping ones too, by the end of their windows. */
  *find(bytes: Uint8Array): Generator<Occurrence> {
    if (this.#texts.length === 0) return;
    const shifts = this.#shifts;
    const window = this.#window;
    for (let at = window - 1; at < bytes.length; ) {
      const pair = (bytes[at - 1]! << 8) | bytes[at]!;
      const shift = shifts[pair]!;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const start = at - window + 1;
      for (const text of this.#candidates.get(pair)!) {
        const { length } = this.#texts[text]!;
        if (standsAt(this.#texts[text]!, bytes, start, length)) yield { text, start, end: start + length };
      }
      at += 1;
    }
  }

  /** Returns the offset from which the last bytes may be the beginning of a text; the length where they cannot. */
  findOpenEnd(bytes: Uint8Array): number {
    let open = bytes.length;
    for (const text of this.#texts) {
      for (let at = Math.max(0, bytes.length - text.length + 1); at < open; at += 1) {
        at = bytes.indexOf(text[0]!, at);
        if (at === -1 || at >= open) break;
        if (standsAt(text, bytes, at, bytes.length - at)) open = at;
      }
    }
    return open;
  }

  #learn(index: number, text: Buffer): void {
    for (let at = 1; at < this.#window; at += 1) {
      const pair = (text[at - 1]! << 8) | text[at]!;
      const left = this.#window - 1 - at;
      if (left < this.#shifts[pair]!) this.#shifts[pair] = left;
      if (left === 0) this.#candidates.set(pair, [...(this.#candidates.get(pair) ?? []), index]);
    }
  }
}

function standsAt(text: Buffer, bytes: Uint8Array, start: number, length: number): boolean {
  if (start + length > bytes.length) return false;
  for (let at = 0; at < length; at += 1) if (bytes[start + at] !== text[at]) return false;
  return true;
}
