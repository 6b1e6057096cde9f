import { type StreamName, TaskOutput, type TaskOutputOptions } from '../../reporter/output.ts';
import type { Mask } from '../../secrets/mask.ts';

/** Output of a task to the caller's streams and to the log, with the run's secrets masked in both. */
export class MaskedOutput {
  readonly #output: TaskOutput;
  readonly #streams;

  constructor(mask: Mask, options: TaskOutputOptions) {
    this.#output = new TaskOutput(options);
    this.#streams = { stdout: mask.openStream(), stderr: mask.openStream() };
  }

  /** Returns a promise where a reader is slower than the task. */
  write(stream: StreamName, chunk: Buffer): void | Promise<void> {
    return this.#output.write(stream, this.#streams[stream].push(chunk));
  }

  /** Ends open lines and the log; returns the log's failure. */
  async end(): Promise<Error | undefined> {
    for (const stream of ['stdout', 'stderr'] as const) await this.#output.write(stream, this.#streams[stream].end());
    return this.#output.end();
  }
}
