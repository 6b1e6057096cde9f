/** Keeps the last lines of an endless output: constant memory, cheap to feed. */
export class Tail {
  readonly #limit: number;
  #lines: string[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#limit * 2) this.#lines = this.#lines.slice(-this.#limit);
  }

  lines(): string[] {
    return this.#lines.slice(-this.#limit);
  }
}
