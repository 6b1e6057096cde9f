import { formatSeconds } from './format.ts';
import type { Progress, Step } from './progress.ts';
import { Tail } from './tail.ts';

export interface PlainOptions {
  write: (text: string) => void;
  /** Every line a step logs, as it comes; otherwise only the last ones of a step that fails. */
  verbose: boolean;
}

/** Lines for CI and pipes: a step is one line when it starts and one when it ends, nothing is ever redrawn. */
export class PlainReporter implements Progress {
  readonly #options: PlainOptions;

  constructor(options: PlainOptions) {
    this.#options = options;
  }

  async step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
    const started = performance.now();
    const tail = new Tail(20);
    const seconds = () => formatSeconds((performance.now() - started) / 1000);
    this.#line(`> ${title}`);
    try {
      const result = await work(this.#stepOf(title, tail));
      this.#line(`+ ${title} (${seconds()})`);
      return result;
    } catch (error) {
      if (!this.#options.verbose) for (const line of tail.lines()) this.#line(`  | ${line}`);
      this.#line(`x ${title} (${seconds()})`);
      throw error;
    }
  }

  note(text: string): void {
    this.#line(text);
  }

  detail(text: string): void {
    if (this.#options.verbose) this.#line(`  ${text}`);
  }

  warn(text: string): void {
    this.#line(`warning: ${text}`);
  }

  #stepOf(title: string, tail: Tail): Step {
    let shown = '';
    return {
      update: (text) => {
        if (this.#options.verbose && text !== shown) this.#line(`  ${title}: ${text}`);
        shown = text;
      },
      log: (line) => {
        tail.add(line);
        if (this.#options.verbose) this.#line(`  | ${line}`);
      },
    };
  }

  #line(text: string): void {
    this.#options.write(`${text}\n`);
  }
}

/** For --quiet: only what went wrong or may. */
export class QuietReporter implements Progress {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  step<T>(_title: string, work: (step: Step) => Promise<T>): Promise<T> {
    return work({ update: () => {}, log: () => {} });
  }

  note(): void {}

  warn(text: string): void {
    this.#write(`warning: ${text}\n`);
  }
}
