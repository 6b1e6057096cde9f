import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** A log, written as it comes; its folder is made. A disk that refuses it ends the log and not the work: `failure` says why. */
export class LogFile {
  readonly file: string;
  failure: Error | undefined;
  #descriptor: number | undefined;

  constructor(file: string) {
    this.file = file;
  }

  write(content: string | Uint8Array): void {
    if (this.failure !== undefined) return;
    try {
      if (this.#descriptor === undefined) mkdirSync(dirname(this.file), { recursive: true });
      this.#descriptor ??= openSync(this.file, 'w', 0o600);
      writeFileSync(this.#descriptor, content);
    } catch (cause) {
      this.failure = cause as Error;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Describes a log that could not be written to its end. */
export function describeBrokenLog(file: string, failure: Error): string {
  return `the log ${file} is not complete: ${failure.message}`;
}
