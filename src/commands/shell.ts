import type { Readable } from 'node:stream';
import { openShell } from '../actions/run/shell.ts';
import { publishFlag, readPublished } from './base/publish-flag.ts';
import { openTerminal, TaskCommand, taskFlags } from './base/task-command.ts';

export default class ShellCommand extends TaskCommand {
  static override summary = 'Open a shell in the build container, with the workspace in it';
  static override description =
    'Without a terminal, commands are read from standard input. With --json their output goes to standard error.';
  static override flags = { ...taskFlags, ...publishFlag };
  static override examples = ['<%= config.bin %> shell', 'echo "node --version" | <%= config.bin %> shell'];

  async run() {
    const { flags } = await this.parse(ShellCommand);
    const json = this.jsonEnabled();
    const isInteractive = process.stdin.isTTY && process.stdout.isTTY && !json;
    const io = {
      stdin: process.stdin,
      onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => writeAll(process[json ? 'stderr' : stream], chunk),
      ...(isInteractive && { terminal: openTerminal() }),
    };
    try {
      const publish = readPublished(flags.publish);
      const request = { io, publish, ...(isInteractive && { takeKeys }) };
      const exitCode = await this.withRun(flags, (open) => openShell({ ...open, ...request }));
      process.exitCode = exitCode;
      return { exitCode };
    } finally {
      releaseInput(process.stdin);
    }
  }
}

/** Lets the process end while its input stays open. Files and /dev/null keep nothing open, and have no `unref`. */
function releaseInput(input: Readable & { unref?(): void }): void {
  input.unref?.();
}

/**
 * Switches the terminal to raw mode: the container's terminal echoes and edits lines, and Ctrl-C is for its program.
 */
function takeKeys(): Disposable {
  process.stdin.setRawMode(true);
  return { [Symbol.dispose]: () => void process.stdin.setRawMode(false) };
}

function writeAll(target: NodeJS.WritableStream, chunk: Buffer): Promise<void> | undefined {
  return target.write(chunk) ? undefined : new Promise((resolve) => target.once('drain', () => resolve()));
}
