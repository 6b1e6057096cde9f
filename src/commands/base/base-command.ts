import { resolve } from 'node:path';
import { Command, Flags } from '@oclif/core';
import type { Host } from '../../host.ts';
import { PlainReporter, QuietReporter } from '../../reporter/plain.ts';
import type { Progress } from '../../reporter/progress.ts';
import { TerminalReporter } from '../../reporter/terminal.ts';
import { coloursOf, printError, printJson, printLines, printText, writeProgress } from './print.ts';
import { readHost } from './read-host.ts';
import { asGbuildError, errorAsJson } from './report-error.ts';

/** Flags of every command that talks to an engine. */
export const engineFlags = {
  context: Flags.string({ helpGroup: 'ENGINE', helpValue: 'NAME', description: 'docker context to use' }),
  host: Flags.string({
    char: 'H',
    helpGroup: 'ENGINE',
    helpValue: 'URL',
    description: 'engine to use, e.g. unix:///var/run/docker.sock, tcp://127.0.0.1:2375 or ssh://user@host',
  }),
  machine: Flags.string({ helpGroup: 'ENGINE', helpValue: 'NAME', description: 'machine of docker-machine to use' }),
};

/**
 * Base of every command. Only this file and its neighbours in commands/ read argv, environment and signals; a throw
 * becomes an exit code only here.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    directory: Flags.string({
      char: 'C',
      helpGroup: 'GLOBAL',
      helpValue: 'DIR',
      description: 'run as if started in this folder',
    }),
    quiet: Flags.boolean({ char: 'q', helpGroup: 'GLOBAL', description: 'print only results, warnings and errors' }),
    verbose: Flags.boolean({ char: 'v', helpGroup: 'GLOBAL', description: 'print what every step does' }),
  };

  /** Reads the caller's machine, with the folder that the command works in. */
  protected readHost(flags: { directory?: string | undefined }): Host {
    return readHost(flags.directory === undefined ? undefined : resolve(flags.directory));
  }

  /** Opens progress on stderr, in a form for its reader; results go to stdout. */
  protected openProgress(flags: { quiet: boolean; verbose: boolean }, host: Host): Progress {
    const write = writeProgress;
    if (flags.quiet) return new QuietReporter(write);
    if (!host.isTerminal || host.isCI || this.jsonEnabled() || flags.verbose) {
      return new PlainReporter({ write, verbose: flags.verbose });
    }
    const colour = (style: 'dim' | 'yellow', text: string) => coloursOf(process.stderr)[style](text);
    return new TerminalReporter({ output: process.stderr, write, colour });
  }

  /** Prints a result's lines. Each stays one line whatever it contains, with control characters escaped. */
  override log(lines: string | readonly string[] = '', mark = ''): void {
    if (!this.jsonEnabled()) printLines(typeof lines === 'string' ? [lines] : lines, mark);
  }

  /** Prints a result that already has its lines: a table, a page, a script. */
  protected logText(text: string): void {
    if (!this.jsonEnabled()) printText(text);
  }

  protected override logJson(value: unknown): void {
    printJson(value);
  }

  protected override async catch(thrown: unknown): Promise<void> {
    const error = asGbuildError(thrown);
    process.exitCode = error.exitCode;
    if (this.jsonEnabled()) this.logJson(errorAsJson(error));
    else printError(error, this.argv);
  }
}
