import { execFile } from 'node:child_process';
import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { GbuildError, messageOf } from '../errors.ts';
import { readBounded } from '../fs/read-bounded.ts';
import type { Host } from '../host.ts';
import type { SecretSpec } from '../spec/types.ts';
import { leastSize, trimEnd } from './forms.ts';
import { isOfRepository, resolveSecretFile } from './host-source.ts';
import type { Secret } from './secret.ts';
import { formatSource } from './source.ts';

/** Limit in bytes. */
const mostSize = 64 << 10;
const commandTimeoutSeconds = 60;

export interface SecretContext {
  host: Host;
  rootDir: string;
  signal: AbortSignal;
  /** Whether the caller has agreed to what the repository runs and reads on this machine. */
  hasConsent: boolean;
}

/**
 * Fetches a secret from its source in the spec. Throws `secret-invalid` where it is not available, or too short to be
 * searched for. Nothing that was read or printed gets into the error.
 */
export async function readSecret(name: string, source: SecretSpec, context: SecretContext): Promise<Secret> {
  const value = await readValue(name, source, context);
  const size = trimEnd(value).length;
  if (size === 0) throw invalid(name, `${formatSource(source)} is empty`);
  if (size < leastSize)
    throw invalid(name, `it is shorter than ${leastSize} bytes: so short a text occurs in every log and image`, [
      'give it a longer value; what is not a secret belongs under env or passEnv',
    ]);
  if (value.length > mostSize) throw tooLarge(name, source);
  return { name, value };
}

async function readValue(name: string, source: SecretSpec, context: SecretContext): Promise<Buffer> {
  if (source.env !== undefined) return readVariable(name, source.env, context.host);
  if (source.file !== undefined) return readSecretFile(name, source.file, context);
  if (!context.hasConsent) throw new Error(`the command of the secret ${name} runs without consent`);
  return runCommand(name, source, context);
}

function readVariable(name: string, variable: string, { env }: Host): Buffer {
  const value = env[variable];
  if (value === undefined)
    throw invalid(name, `the variable ${variable} is not set`, [`export ${variable}=...   # then run gbuild again`]);
  return Buffer.from(value);
}

function readSecretFile(name: string, file: string, context: SecretContext): Buffer {
  const { host, rootDir, hasConsent } = context;
  const path = resolveSecretFile(file, { rootDir, homeDir: host.homeDir });
  const onOpened = (stats: Stats) => {
    if (hasConsent || isSameInRepository(path, stats, rootDir)) return;
    throw invalid(name, `the file ${path} was replaced while it was read`);
  };
  try {
    // The caller reports a file that is too large.
    return readBounded(path, mostSize, { onOpened });
  } catch (thrown) {
    if (thrown instanceof GbuildError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    const why = `the file ${path} cannot be read (${code ?? messageOf(thrown)})`;
    throw invalid(name, code === 'ENOENT' ? `there is no file ${path}` : why);
  }
}

/** Whether the opened file is the repository's: a task of another run may change a link between two checks. */
function isSameInRepository(path: string, opened: Stats, rootDir: string): boolean {
  const real = realpathSync(path);
  const { dev, ino } = lstatSync(real);
  return isOfRepository(real, rootDir) && dev === opened.dev && ino === opened.ino;
}

/**
 * Runs the command and returns its output without the last line end. Its standard error is dropped, because it may be
 * secret too.
 */
async function runCommand(name: string, source: SecretSpec, context: SecretContext): Promise<Buffer> {
  const { host, rootDir, signal } = context;
  const [program = '', ...args] = source.command ?? [];
  const options = {
    cwd: rootDir,
    env: { ...host.env },
    encoding: 'buffer',
    timeout: commandTimeoutSeconds * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: mostSize,
    signal,
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout.at(-1) === 10 ? stdout.subarray(0, -1) : stdout);
      else reject(signal.aborted ? signal.reason : invalid(name, `${formatSource(source)} ${explain(error)}`));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end();
  });
}

function explain({
  code,
  killed,
  signal,
}: {
  code?: string | number | null;
  killed?: boolean;
  signal?: unknown;
}): string {
  if (typeof code === 'number') return `ended with exit code ${code}`;
  if (code === 'ENOENT') return 'could not be started: there is no such program';
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `printed more than ${mostSize >> 10} KiB`;
  if (killed) return `gave no answer within ${commandTimeoutSeconds} s`;
  return signal ? `was ended by ${signal}` : `could not be started (${code})`;
}

function tooLarge(name: string, source: SecretSpec): GbuildError {
  return invalid(name, `${formatSource(source)} has more than ${mostSize >> 10} KiB`);
}

function invalid(name: string, why: string, suggestions: string[] = []): GbuildError {
  return new GbuildError('secret-invalid', `secret ${name}: ${why}`, { suggestions, facts: { secret: name } });
}
