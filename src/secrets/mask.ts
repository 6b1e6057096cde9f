import { listMaskedForms } from './forms.ts';
import type { Secret } from './secret.ts';
import { TextSearch } from './text-search.ts';

const stars = Buffer.from('***');

/** Masks one stream. */
export interface MaskedStream {
  /**
   * Returns the bytes that may be shown now. Holds back an end that may be the beginning of a secret until more bytes
   * come.
   */
  push(chunk: Buffer): Buffer;
  /** Returns the rest at the stream's end. */
  end(): Buffer;
}

/** Replaces the values of secrets, in all their forms, by `***`. */
export class Mask {
  readonly #search: TextSearch;

  constructor(secrets: readonly Secret[]) {
    const forms = secrets.flatMap(listMaskedForms).map((form) => form.toString('latin1'));
    this.#search = new TextSearch([...new Set(forms)].map((form) => Buffer.from(form, 'latin1')));
  }

  openStream(): MaskedStream {
    return this.#search.longest === 0 ? passing : new Masking(this.#search);
  }

  /** Masks a whole text. */
  maskText(text: string): string {
    const stream = this.openStream();
    return Buffer.concat([stream.push(Buffer.from(text)), stream.end()]).toString();
  }
}

const passing: MaskedStream = { push: (chunk) => chunk, end: () => Buffer.alloc(0) };

/** Masks a stream: however it is cut, each run of bytes that occurrences cover becomes one mark. */
class Masking implements MaskedStream {
  readonly #search: TextSearch;
  #kept: Buffer = Buffer.alloc(0);
  /** Number of kept bytes that an earlier occurrence covers: their mark was already shown. */
  #covered = 0;
  /** Whether a mark was shown last. */
  #marked = false;

  constructor(search: TextSearch) {
    this.#search = search;
  }

  push(chunk: Buffer): Buffer {
    const bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    const open = this.#search.findOpenEnd(bytes);
    const shown = this.#show(bytes, open);
    // A copy, because the sender may reuse the chunk's memory.
    this.#kept = Buffer.from(bytes.subarray(open));
    return shown;
  }

  end(): Buffer {
    return this.#show(this.#kept, this.#kept.length);
  }

  #show(bytes: Buffer, end: number): Buffer {
    const parts: Buffer[] = [];
    let at = Math.min(this.#covered, end);
    let covered = this.#covered;
    let marked = this.#marked;
    for (const { start, end: over } of mergeRanges(this.#search.find(bytes))) {
      if (start >= end) break;
      if (start > covered || !marked) parts.push(bytes.subarray(at, start), stars);
      marked = true;
      covered = Math.max(covered, over);
      at = Math.min(covered, end);
    }
    parts.push(bytes.subarray(at, end));
    this.#covered = Math.max(0, covered - end);
    if (end > 0) this.#marked = marked && covered >= end;
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

/** Merges ranges that touch or overlap. */
function mergeRanges(ranges: Iterable<{ start: number; end: number }>): { start: number; end: number }[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}
