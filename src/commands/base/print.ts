import pico from 'picocolors';
import { escapeJson, escapeLine, escapeText } from '../../escape.ts';
import { type asGbuildError, formatError } from './report-error.ts';

/*
 * Everything that gbuild itself writes to its caller's terminal goes through here (test/architecture.test.ts sees to it). What tasks
 * print passes as it is, by the streams of task-command.ts.
 */

/** Prints lines of a result to standard output, each in one line. `mark` is gbuild's own and may be coloured. */
export function printLines(lines: readonly string[], mark = ''): void {
  // A console ignores a reader that has gone away (`| head -1`).
  console.log(mark + lines.map(escapeLine).join('\n'));
}

/** Prints text that already has its lines. */
export function printText(text: string): void {
  console.log(escapeText(text));
}

export function printJson(value: unknown): void {
  console.log(escapeJson(JSON.stringify(value, null, 2)));
}

/** Writes lines of reporters, which escape their texts. */
export function writeProgress(text: string): void {
  process.stderr.write(text);
}

/** Prints a failure to stderr for a person. */
export function printError(error: ReturnType<typeof asGbuildError>, argv: string[]): void {
  const own = ownWords(argv);
  const verbose = own.includes('--verbose') || own.includes('-v');
  process.stderr.write(formatError(error, { verbose, red: coloursOf(process.stderr).red }));
}

/** Returns the words of a command line for gbuild: those after `--` are a task's. */
export function ownWords(argv: string[]): string[] {
  return argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
}

/**
 * Returns colours for a stream: enabled on a terminal, unless NO_COLOR is set. picocolors checks standard output only,
 * and colours every pipe and file where CI is set.
 */
export function coloursOf(stream: { isTTY?: boolean }, env = process.env): ReturnType<typeof pico.createColors> {
  const isForced = !['', '0', 'false'].includes(env.FORCE_COLOR ?? '');
  return pico.createColors(!env.NO_COLOR && (isForced || (stream.isTTY === true && env.TERM !== 'dumb')));
}
