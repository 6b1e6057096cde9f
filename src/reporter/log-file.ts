import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Log that is written as output comes; its folder is made. A disk that refuses it ends the log, not the work: `failure`
 * has the reason.
 */
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

/** Describes a log that is incomplete. */
export function describeBrokenLog(file: string, failure: Error): string {
  return `the log ${file} is not complete: ${failure.message}`;
}
