import { openRun } from '../pipeline/engine-session.ts';
import { openShell } from '../pipeline/open-shell.ts';
import { openStop } from './stop.ts';
import { frozenOf, newRunId, openTerminal, TaskCommand, taskFlags } from './task-command.ts';

export default class ShellCommand extends TaskCommand {
  static override summary = 'Open a shell in the build container, with the workspace in it';
  static override description = 'Without a terminal, commands are read from standard input.';
  static override enableJsonFlag = false;
  static override flags = { ...taskFlags };
  static override examples = ['<%= config.bin %> shell', 'echo "node --version" | <%= config.bin %> shell'];

  async run() {
    const { flags } = await this.parse(ShellCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const places = { host, installDir: this.config.root };
    const { session, engine } = await openRun(places, flags, newRunId(), progress);
    const isInteractive = process.stdin.isTTY && process.stdout.isTTY;
    try {
      process.exitCode = await openShell({
        ...places,
        session,
        engine,
        progress,
        stop,
        frozen: frozenOf(flags, host),
        io: {
          stdin: process.stdin,
          onOutput: (stream, chunk) => writeAll(process[stream], chunk),
          ...(isInteractive && { terminal: openTerminal() }),
        },
        ...(isInteractive && { takeKeys }),
      });
    } finally {
      process.stdin.unref();
      engine.close();
    }
  }
}

/** The container's terminal echoes and edits lines, and Ctrl-C is for what runs in it. */
function takeKeys(): Disposable {
  process.stdin.setRawMode(true);
  return { [Symbol.dispose]: () => void process.stdin.setRawMode(false) };
}

function writeAll(target: NodeJS.WritableStream, chunk: Buffer): Promise<void> | undefined {
  return target.write(chunk) ? undefined : new Promise((resolve) => target.once('drain', () => resolve()));
}
