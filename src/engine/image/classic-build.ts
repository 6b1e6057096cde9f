import type { BuildEvent } from './buildkit.ts';

/**
 * Turns the classic builder's plain lines (`Step 2/5 : RUN make`, ` ---> Using cache`), and podman's (`[1/2] STEP 2/5:
 * RUN make`, `--> Using cache ...`), into BuildKit's events.
 */
export class ClassicReader {
  #step: { id: string; name: string; cached: boolean } | undefined;
  #partial = '';

  /** Reads the events of one `stream` text, which may hold several lines or a part of one. */
  read(text: string): BuildEvent[] {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    return lines.flatMap((line) => this.#readLine(line.replace(/\r$/, '')));
  }

  /** Ends the last step. */
  finish(state: 'done' | 'failed'): BuildEvent[] {
    const rest = this.#partial === '' ? [] : this.#readLine(this.#partial);
    this.#partial = '';
    return [...rest, ...this.#end(state)];
  }

  #readLine(line: string): BuildEvent[] {
    const step = /^(?:\[(\d+)\/\d+\] )?step (\d+\/\d+) ?: (.*)$/i.exec(line);
    if (step !== null) {
      const ended = this.#end('done');
      const [, stage, number, instruction] = step;
      const id = stage === undefined ? number! : `${stage}:${number}`;
      this.#step = { id, name: `[${id}] ${instruction}`, cached: false };
      return [...ended, { kind: 'step', id: this.#step.id, name: this.#step.name, state: 'started' }];
    }
    if (this.#step === undefined || line === '') return [];
    if (/^ ?-?--> Using cache/.test(line)) this.#step.cached = true;
    // ` ---> 82da610f06ef` and ` ---> Running in ...` are the builder's own bookkeeping.
    if (/^ ?-?--> /.test(line) || line.startsWith('Removing intermediate container')) return [];
    if (/^(?:\[\d+\/\d+\] )?COMMIT( |$)/.test(line)) return this.#end('done');
    return [{ kind: 'log', id: this.#step.id, line }];
  }

  #end(state: 'done' | 'failed'): BuildEvent[] {
    if (this.#step === undefined) return [];
    const { id, name, cached } = this.#step;
    this.#step = undefined;
    return [{ kind: 'step', id, name, state: cached && state === 'done' ? 'cached' : state }];
  }
}
