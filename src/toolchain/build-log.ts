import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildEvent } from '../engine/engine.ts';
import type { Rim } from './rim.ts';

/** All that a build prints, in a file that stays where it failed. Its place is known before there is a line to write. */
export class BuildLog {
  readonly file: string;
  readonly #hostDir: string;
  #open: number | undefined;

  constructor({ host, engine }: Rim, title: string) {
    this.#hostDir = join(host.stateDir, 'builds');
    this.file = join(this.#hostDir, `${engine.runId}-${title.replaceAll(/[^\w.-]+/g, '-')}.log`);
  }

  /** A log that cannot be written is no reason for a build to fail. */
  add(event: BuildEvent): void {
    const line = event.kind === 'log' ? event.line : `# ${event.state}: ${event.name}`;
    try {
      if (this.#open === undefined) mkdirSync(this.#hostDir, { recursive: true });
      this.#open ??= openSync(this.file, 'a', 0o600);
      writeSync(this.#open, `${line}\n`);
    } catch {
      // A full or read-only disk: the last lines are in the message.
    }
  }

  discard(): void {
    if (this.#open !== undefined) closeSync(this.#open);
    rmSync(this.file, { force: true });
  }
}
