import { escapeLine, escapeMessage, escapeOutput } from '../escape.ts';
import { formatSeconds } from './format.ts';
import type { Progress, Step } from './progress.ts';
import { Tail } from './tail.ts';

export interface PlainOptions {
  write: (text: string) => void;
  /** Whether every line of a step is shown; otherwise only the last ones of a failed step. */
  verbose: boolean;
  /** Milliseconds between two lines about a long step; defaults to half a minute. */
  every?: number;
}

const usualPause = 30_000;

/**
 * Prints lines for CI and pipes: one line when a step starts and one when it ends, without redrawing. A long step
 * reports its progress from time to time.
 */
export class PlainReporter implements Progress {
  readonly #options: PlainOptions;

  constructor(options: PlainOptions) {
    this.#options = options;
  }

  async step<T>(name: string, work: (step: Step) => Promise<T>): Promise<T> {
    const title = escapeLine(name);
    const started = performance.now();
    const tail = new Tail(20);
    const seconds = () => formatSeconds((performance.now() - started) / 1000);
    this.#line(`> ${title}`);
    try {
      const result = await work(this.#stepOf(title, tail));
      this.#line(`+ ${title} (${seconds()})`);
      return result;
    } catch (error) {
      if (!this.#options.verbose) for (const line of tail.lines()) this.#line(`  | ${escapeOutput(line)}`);
      this.#line(`x ${title} (${seconds()})`);
      throw error;
    }
  }

  note(text: string): void {
    this.#line(escapeMessage(text));
  }

  detail(text: string): void {
    if (this.#options.verbose) this.#line(`  ${text}`);
  }

  warn(text: string): void {
    this.#line(`warning: ${escapeMessage(text)}`);
  }

  #stepOf(title: string, tail: Tail): Step {
    const { verbose, every = usualPause } = this.#options;
    let shown = '';
    let told = performance.now();
    return {
      update: (text) => {
        if (text === shown) return;
        shown = text;
        if (!verbose && performance.now() - told < every) return;
        told = performance.now();
        this.#line(`  ${title}: ${escapeLine(text)}`);
      },
      log: (line) => {
        tail.add(line);
        if (this.#options.verbose) this.#line(`  | ${escapeOutput(line)}`);
      },
    };
  }

  #line(text: string): void {
    this.#options.write(`${text}\n`);
  }
}

/** Reporter for --quiet: only failures and warnings. */
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
    this.#write(`warning: ${escapeMessage(text)}\n`);
  }
}
