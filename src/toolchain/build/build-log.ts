import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildEvent } from '../../engine/engine.ts';
import { LogFile } from '../../reporter/log-file.ts';
import type { ToolchainContext } from '../image/toolchain-context.ts';

/** Complete output of a build, in a file that stays after a failure. Its path is known before the first line. */
export class BuildLog {
  readonly file: string;
  readonly #log: LogFile;

  constructor({ host, engine }: ToolchainContext, title: string) {
    this.file = join(host.stateDir, 'builds', `${engine.runId}-${title.replaceAll(/[^\w.-]+/g, '-')}.log`);
    this.#log = new LogFile(this.file);
  }

  /** Failure that made the log incomplete; it does not fail a build. */
  get failure(): Error | undefined {
    return this.#log.failure;
  }

  add(event: BuildEvent): void {
    this.#log.write(`${event.kind === 'log' ? event.line : `# ${event.state}: ${event.name}`}\n`);
  }

  close(): void {
    this.#log.close();
  }

  discard(): void {
    this.#log.close();
    rmSync(this.file, { force: true });
  }
}
