import { GbuildError, messageOf } from '../errors.ts';
import { escapeLine, escapeMessage, escapeOutput } from '../escape.ts';
import type { Progress, Step } from './progress.ts';
import { Tail } from './tail.ts';

const refreshMilliseconds = 100;
const windowLines = 10;

export interface TerminalOptions {
  /** Stream of the terminal, for drawing. */
  output: NodeJS.WritableStream;
  write: (text: string) => void;
  colour: (style: 'dim' | 'yellow', text: string) => string;
}

/**
 * Shows a live list of gbuild's own steps on a terminal (listr2, loaded with the first step): a spinner, the time and a
 * window of the last lines. The window is redrawn at most ten times a second, so a step may log at any rate.
 */
export class TerminalReporter implements Progress {
  readonly #options: TerminalOptions;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  async step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
    const { Listr, PRESET_TIMER } = await import('listr2');
    let result: { value: T } | { thrown: unknown } | undefined;
    const list = new Listr(
      [
        {
          title: escapeLine(title),
          task: async (_context, task) => {
            const window = openWindow((text) => {
              task.output = text;
            });
            try {
              result = { value: await work(window.step) };
            } catch (thrown) {
              result = { thrown };
              // The error has an escaped message, because a renderer may print it.
              throw new Error(escapeLine(messageOf(thrown)));
            } finally {
              window.close();
            }
          },
          rendererOptions: { outputBar: windowLines, persistentOutput: false },
        },
      ],
      {
        registerSignalListeners: false,
        rendererOptions: { timer: PRESET_TIMER, showErrorMessage: false, collapseErrors: false },
      },
    );
    await list.run().catch((error: unknown) => {
      result ??= { thrown: error };
    });
    if (result === undefined) throw new Error(`step "${title}" ended without a result`);
    if ('thrown' in result) throw result.thrown;
    return result.value;
  }

  async choose(question: string, choices: string[]): Promise<string> {
    const { default: select } = await import('@inquirer/select');
    try {
      const named = choices.map((value) => ({ value, name: escapeLine(value) }));
      return await select({ message: escapeLine(question), choices: named }, { output: this.#options.output });
    } catch (cause) {
      throw new GbuildError('interrupted', 'nothing was chosen', { cause });
    }
  }

  note(text: string): void {
    this.#options.write(`${this.#options.colour('dim', escapeMessage(text))}\n`);
  }

  warn(text: string): void {
    this.#options.write(`${this.#options.colour('yellow', `warning: ${escapeMessage(text)}`)}\n`);
  }
}

/** Collects lines and shows the last of them at a steady pace. */
function openWindow(show: (text: string) => void): { step: Step; close: () => void } {
  const tail = new Tail(windowLines - 1);
  let headline = '';
  let changed = false;
  const timer = setInterval(() => {
    if (!changed) return;
    changed = false;
    show([escapeLine(headline), ...tail.lines().map(escapeOutput)].filter((line) => line !== '').join('\n'));
  }, refreshMilliseconds);
  const step: Step = {
    update: (text) => {
      headline = text;
      changed = true;
    },
    log: (line) => {
      tail.add(line);
      changed = true;
    },
  };
  return { step, close: () => clearInterval(timer) };
}
