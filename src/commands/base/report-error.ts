import { Errors } from '@oclif/core';
import { diskError, GbuildError, messageOf } from '../../errors.ts';
import { escapeLine, escapeMessage, quoteWord } from '../../escape.ts';

/**
 * Turns anything thrown into a GbuildError. A mistake in the command line is the caller's, a full disk the machine's,
 * and anything unknown a bug of gbuild.
 */
export function asGbuildError(thrown: unknown): GbuildError {
  if (thrown instanceof GbuildError) return thrown;
  if (thrown instanceof Errors.CLIError) {
    const message = thrown.message.replace(/\nSee more help with --help\s*$/, '');
    return new GbuildError('usage', message, { suggestions: ['gbuild --help'], cause: thrown });
  }
  const ofDisk = diskError(thrown);
  if (ofDisk !== undefined) return ofDisk;
  const ofRights = rightsError(thrown);
  if (ofRights !== undefined) return ofRights;
  return new GbuildError('bug', `a bug in gbuild: ${messageOf(thrown)}`, {
    suggestions: ['run it again with --verbose and report what it prints'],
    cause: thrown,
  });
}

/** Describes a folder of gbuild or of the repository that belongs to another user. */
function rightsError(thrown: unknown): GbuildError | undefined {
  const { code, path, syscall } = thrown instanceof Error ? (thrown as NodeJS.ErrnoException) : {};
  if ((code !== 'EACCES' && code !== 'EPERM') || path === undefined || syscall === undefined) return undefined;
  return new GbuildError('disk-failed', `this user is not allowed to ${syscall} ${path} (${code})`, {
    cause: thrown,
    suggestions: [`namei -l ${quoteWord(path)}   # whose it is`],
    facts: { code, path },
  });
}

/** Formats an error for stderr: what happened, then what to type next; a stack only for a bug, only with --verbose. */
export function formatError(error: GbuildError, options: { verbose: boolean; red: (text: string) => string }): string {
  const lines = [`${options.red('error:')} ${escapeMessage(error.message)}`];
  if (options.verbose || error.code === 'bug') lines.push(...causes(error.cause, error.code === 'bug'));
  for (const suggestion of error.suggestions) lines.push(`  try: ${escapeLine(suggestion)}`);
  return `${lines.join('\n')}\n`;
}

/** Formats a failure for `--json`: `{"error": {code, message, exitCode, suggestions, facts}}`. */
export function errorAsJson(error: GbuildError): object {
  const { code, message, exitCode, suggestions, facts } = error;
  return { error: { code, message, exitCode, suggestions, ...(Object.keys(facts).length > 0 && { facts }) } };
}

function causes(cause: unknown, withStack: boolean): string[] {
  const lines: string[] = [];
  for (let next = cause; next instanceof Error && lines.length < 10; next = next.cause) {
    lines.push(...`  because: ${escapeMessage(withStack ? (next.stack ?? next.message) : next.message)}`.split('\n'));
  }
  return lines;
}
