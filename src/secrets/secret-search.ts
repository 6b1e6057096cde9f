import { blockSize } from '../oci/tar/tar-header.ts';
import { listForms } from './forms.ts';
import type { Secret } from './secret.ts';
import { TextSearch } from './text-search.ts';
/** Secret, and the range of its value in the searched bytes. */
export interface SecretAt {
  secret: string;
  offset: number;
  end: number;
}

/** Searches for the values of secrets, in all their forms. */
export class SecretSearch {
  readonly #search: TextSearch;
  readonly #names: string[] = [];

  constructor(secrets: readonly Secret[]) {
    const forms = secrets.flatMap((secret) => listForms(secret).map((form) => ({ name: secret.name, form })));
    this.#names = forms.map(({ name }) => name);
    this.#search = new TextSearch(forms.map(({ form }) => form));
  }

  /** Returns the names of the secrets in the bytes, each once. */
  findIn(bytes: Uint8Array): string[] {
    const names = new Set<string>();
    for (const { text } of this.#search.find(bytes)) names.add(this.#names[text]!);
    return [...names];
  }

  /** Searches a stream chunk by chunk, also across their borders. */
  openStream(): (chunk: Uint8Array) => SecretAt[] {
    let kept = Buffer.alloc(0);
    let position = 0;
    return (chunk) => {
      const border = Buffer.concat([kept, chunk.subarray(0, this.#search.longest)]);
      const across = this.#findAt(border, position - kept.length).filter(
        ({ offset, end }) => offset < position && end > position,
      );
      const found = [...across, ...this.#findAt(chunk, position)];
      position += chunk.length;
      const last = chunk.length < this.#search.longest ? Buffer.concat([kept, chunk]) : chunk;
      kept = Buffer.from(last.subarray(Math.max(0, last.length - this.#search.longest + 1)));
      return found;
    };
  }

  /**
   * Finds one occurrence for each block and secret: tar entries begin at blocks, and a value such as `aaaaaa` may occur
   * at every byte.
   */
  #findAt(bytes: Uint8Array, position: number): SecretAt[] {
    const found = new Map<string, SecretAt>();
    for (const { text, start, end } of this.#search.find(bytes)) {
      const secret = this.#names[text]!;
      const each = { secret, offset: position + start, end: position + end };
      found.set(`${Math.floor(each.offset / blockSize)} ${secret}`, each);
    }
    return [...found.values()];
  }
}
