import { quote } from '../yaml/mistakes.ts';
import { suggest } from '../yaml/suggest.ts';

/**
 * Number of wrong names that get a suggestion: comparing thousands of wrong names with thousands of right ones would
 * take seconds.
 */
const maxSuggestions = 50;
const maxListed = 12;

/** Names of one kind that a file declares, and the message for an undeclared one. */
export class DeclaredNames {
  readonly #kind: string;
  readonly #names: Set<string>;
  #suggestions = 0;

  /** Collects the names; `kind` is the plural for messages, such as `tasks`. */
  constructor(kind: string, names: Iterable<string>) {
    this.#kind = kind;
    this.#names = new Set(names);
  }

  get size(): number {
    return this.#names.size;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  hintFor(name: string): string {
    this.#suggestions += 1;
    const meant = this.#suggestions > maxSuggestions ? undefined : suggest(name, this.#names);
    if (meant !== undefined) return `did you mean ${meant}?`;
    return `the ${this.#kind} are ${[...this.#names].slice(0, maxListed).map(showName).join(', ')}`;
  }
}

/** Shows a name as it is, or quoted where a reader could misread it. */
export function showName(name: string): string {
  return /^[\w:.-]{1,60}$/.test(name) ? name : quote(name);
}
