import { resolve } from 'node:path';
import { Command, Flags } from '@oclif/core';
import pico from 'picocolors';
import type { Host } from '../host.ts';
import { PlainReporter, QuietReporter } from '../reporter/plain.ts';
import type { Progress } from '../reporter/progress.ts';
import { TerminalReporter } from '../reporter/terminal.ts';
import { readHost } from './read-host.ts';
import { asGbuildError, errorAsJson, formatError } from './report-error.ts';

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
 * What every command shares. This file and its neighbours in commands/ are the only ones that read argv, environment and
 * signals; a throw becomes an exit code here and nowhere else.
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

  /** The caller's machine, as seen from the folder the command works in. */
  protected readHost(flags: { directory?: string | undefined }): Host {
    return readHost(flags.directory === undefined ? undefined : resolve(flags.directory));
  }

  /** Progress goes to stderr, in the form its reader can use; results go to stdout. */
  protected openProgress(flags: { quiet: boolean; verbose: boolean }, host: Host): Progress {
    const write = (text: string) => void process.stderr.write(text);
    if (flags.quiet) return new QuietReporter(write);
    if (!host.isTerminal || host.isCI || this.jsonEnabled() || flags.verbose) {
      return new PlainReporter({ write, verbose: flags.verbose });
    }
    const colour = (style: 'dim' | 'yellow', text: string) => coloursOf(process.stderr)[style](text);
    return new TerminalReporter({ output: process.stderr, write, colour });
  }

  protected override async catch(thrown: unknown): Promise<void> {
    const error = asGbuildError(thrown);
    process.exitCode = error.exitCode;
    if (this.jsonEnabled()) this.logJson(errorAsJson(error));
    else printError(error, this.argv);
  }
}

/** The words of a command line that are for gbuild: what follows `--` is a task's. */
export function ownWords(argv: string[]): string[] {
  return argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
}

/** Prints a failure to stderr for a person. */
export function printError(error: ReturnType<typeof asGbuildError>, argv: string[]): void {
  const own = ownWords(argv);
  const verbose = own.includes('--verbose') || own.includes('-v');
  process.stderr.write(formatError(error, { verbose, red: coloursOf(process.stderr).red }));
}

/**
 * Colours for what is written to a stream: where that is a terminal, unless NO_COLOR is set. picocolors by itself asks
 * standard output alone, and colours every pipe and file where CI is set.
 */
export function coloursOf(stream: { isTTY?: boolean }, env = process.env): ReturnType<typeof pico.createColors> {
  const isForced = !['', '0', 'false'].includes(env.FORCE_COLOR ?? '');
  return pico.createColors(!env.NO_COLOR && (isForced || (stream.isTTY === true && env.TERM !== 'dumb')));
}
