import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { escapeLine } from '../escape.ts';

export type StreamName = 'stdout' | 'stderr';

export interface TaskOutputOptions {
  stdout: Writable;
  stderr: Writable;
  /** Prefix of every line, such as `test | `, in ASCII; without it bytes pass unchanged. */
  prefix?: string;
  /** File for the full output of both streams in order of arrival; its folder is made. */
  logFile?: string;
  /** Whether the log is appended to its present content. */
  append?: boolean;
}

/**
 * Output of a task, to the caller's streams and to a log file, in whole chunks, never line by line. `write` returns a
 * promise when a reader is slower than the task; the caller must await it.
 */
export class TaskOutput {
  readonly #options: TaskOutputOptions;
  readonly #log: WriteStream | undefined;
  #logError: Error | undefined;
  readonly #openLine = { stdout: false, stderr: false };

  constructor(options: TaskOutputOptions) {
    const { prefix } = options;
    this.#options = prefix === undefined ? options : { ...options, prefix: escapeLine(prefix) };
    if (options.logFile === undefined) return;
    try {
      mkdirSync(dirname(options.logFile), { recursive: true });
    } catch (error) {
      this.#logError = error as Error;
      return;
    }
    this.#log = createWriteStream(options.logFile, { mode: 0o600, flags: options.append ? 'a' : 'w' });
    this.#log.on('error', (error) => {
      this.#logError = error;
    });
  }

  write(stream: StreamName, chunk: Buffer): void | Promise<void> {
    if (chunk.length === 0) return;
    const target = this.#options[stream];
    const slow = [!target.write(this.#decorate(stream, chunk)) && !target.destroyed ? target : undefined];
    if (this.#log && !this.#logError) slow.push(this.#log.write(chunk) ? undefined : this.#log);
    const waiting = slow.filter((writable) => writable !== undefined);
    if (waiting.length > 0) return Promise.all(waiting.map(untilDrained)).then(() => {});
  }

  /** Ends open lines and the log. The log's own failure (a full disk) is returned, not thrown: the task ran. */
  async end(): Promise<Error | undefined> {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#openLine[stream] && this.#options.prefix !== undefined) this.#options[stream].write('\n');
    }
    const log = this.#log;
    if (log && !this.#logError) await this.#endLog(log);
    return this.#logError;
  }

  /** Ends the log; a failed last write is reported here first, and by an event later. */
  #endLog(log: WriteStream): Promise<void> {
    return new Promise((resolve) => {
      log.end((error?: Error | null) => {
        if (error) this.#logError ??= error;
        resolve();
      });
    });
  }

  #decorate(stream: StreamName, chunk: Buffer): Buffer {
    const { prefix } = this.#options;
    const wasOpen = this.#openLine[stream];
    this.#openLine[stream] = chunk[chunk.length - 1] !== 10;
    if (prefix === undefined) return chunk;
    const ends = this.#openLine[stream] ? chunk.length : chunk.length - 1;
    const inner = chunk.toString('latin1', 0, ends).replaceAll('\n', `\n${prefix}`);
    return Buffer.from(`${wasOpen ? '' : prefix}${inner}${this.#openLine[stream] ? '' : '\n'}`, 'latin1');
  }
}

/** Settles when the written bytes were passed on, or never will be. */
export function untilDrained(writable: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'error']) writable.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) writable.once(event, done);
  });
}
