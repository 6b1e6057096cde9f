import { GbuildError } from '../../errors.ts';
import { formatTail } from '../../escape.ts';
import type { Host, Stop } from '../../host.ts';

/** Result of a program on the host. */
export interface ProgramResult {
  exitCode: number;
  stdout: string;
  /** Last lines of its stderr. */
  stderr: string[];
}

export interface ProgramOptions {
  host: Host;
  stop: Stop;
  /** Variables in addition to the caller's environment. */
  env?: Record<string, string>;
  cwd?: string;
  onLine?: (line: string) => void;
}

const keptLines = 20;

/**
 * Runs a program of the host to its end. A stop asks it to end (SIGTERM) and kills it after 20 s; then the stop's
 * reason is thrown. Undefined where there is no such program.
 */
export async function runProgram(
  command: string,
  args: string[],
  { host, stop, env, cwd, onLine }: ProgramOptions,
): Promise<ProgramResult | undefined> {
  stop.ask.throwIfAborted();
  const { execa } = await import('execa');
  const stderr: string[] = [];
  const child = execa(command, args, {
    env: { ...host.env, ...env },
    extendEnv: false,
    ...(cwd === undefined ? {} : { cwd }),
    stdin: 'ignore',
    reject: false,
    cancelSignal: stop.ask,
    forceKillAfterDelay: 20_000,
    stderr: function* (line: unknown) {
      stderr.push(String(line));
      if (stderr.length > keptLines) stderr.shift();
      onLine?.(String(line));
      yield line;
    },
  });
  const result = await child;
  if (stop.ask.aborted) throw stop.ask.reason;
  if (result.code === 'ENOENT') return undefined;
  return { exitCode: result.exitCode ?? 1, stdout: String(result.stdout), stderr };
}

/** Describes a program that failed, with its last lines. */
export function programFailed(what: string, { exitCode, stderr }: ProgramResult, suggestions: string[]): GbuildError {
  const tail = formatTail(stderr);
  return new GbuildError('toolchain-failed', `${what} (exit code ${exitCode})${tail}`, {
    suggestions,
    facts: { exitCode, log: stderr },
  });
}
