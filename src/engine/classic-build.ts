import type { BuildEvent } from './buildkit.ts';

/** Turns the classic builder's plain lines (`Step 2/5 : RUN make`, ` ---> Using cache`) into the same events as BuildKit's. */
export class ClassicReader {
  #step: { id: string; name: string; cached: boolean } | undefined;
  #partial = '';

  /** The events of one `stream` text, which may hold several lines or a part of one. */
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
    const step = /^Step (\d+\/\d+) : (.*)$/.exec(line);
    if (step !== null) {
      const ended = this.#end('done');
      this.#step = { id: step[1]!, name: `[${step[1]}] ${step[2]}`, cached: false };
      return [...ended, { kind: 'step', id: this.#step.id, name: this.#step.name, state: 'started' }];
    }
    if (this.#step === undefined || line === '') return [];
    if (line === ' ---> Using cache') this.#step.cached = true;
    // ` ---> 82da610f06ef` and ` ---> Running in ...` are the builder's own bookkeeping.
    if (line.startsWith(' ---> ') || line.startsWith('Removing intermediate container')) return [];
    return [{ kind: 'log', id: this.#step.id, line }];
  }

  #end(state: 'done' | 'failed'): BuildEvent[] {
    if (this.#step === undefined) return [];
    const { id, name, cached } = this.#step;
    this.#step = undefined;
    return [{ kind: 'step', id, name, state: cached && state === 'done' ? 'cached' : state }];
  }
}
