/** Secret words: all printed text about a registry goes through `mask`. */
export class Redactor {
  readonly #words = new Set<string>();

  /** Adds the word as it is, and as Basic authentication and forms spell it. */
  add(word: string): void {
    if (word.length < 3) return;
    for (const each of [word, encodeURIComponent(word)]) this.#words.add(each);
  }

  mask(text: string): string {
    let masked = text;
    for (const word of this.#words) masked = masked.replaceAll(word, '***');
    return masked;
  }
}

/** Formats an address for printing: without the user, and with only the harmless parts of the query. */
export function formatUrl(url: URL): string {
  const shown = [...url.searchParams].filter(([name]) => plainParameters.has(name));
  const query = shown.map(([name, value]) => `${name}=${value}`).join('&');
  return `${url.origin}${url.pathname}${query === '' ? '' : `?${query}`}`;
}

const plainParameters = new Set(['digest', 'mount', 'from', 'n', 'last', 'artifactType', 'service', 'scope']);
