import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { parseJsonObject } from '../../oci/json.ts';
import type { RegistryAddress } from '../http/address.ts';

/** Login of the caller at a registry, and where it was found. */
export type Credentials = { origin: string } & (
  | { kind: 'password'; user: string; password: string }
  /** Exchanged for bearer tokens (OAuth2 refresh token). */
  | { kind: 'identity'; token: string }
  | { kind: 'bearer'; token: string }
);

const helperTimeoutSeconds = 30;
/** Limit in bytes: far more than any login. */
const largestAnswer = 1024 * 1024;

export interface HelperCall {
  env: Host['env'];
  /** Key and file that name the helper. */
  askedBy: string;
  signal: AbortSignal;
}

/**
 * Runs `docker-credential-NAME get` with the server on standard input (docker-credential-helpers). `undefined` when it
 * does not know the registry. Its output never gets into an error, because it may hold a secret.
 */
export async function askHelper(
  name: string,
  address: RegistryAddress,
  call: HelperCall,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  const fail = (why: string, cause?: unknown) => helperFailed(program, address, call, why, cause);
  if (!/^[\w.-]+$/.test(name)) throw fail('that is not a program name');
  const ended = await runHelper(program, address.credentialKey, call);
  call.signal.throwIfAborted();
  const { exitCode, stdout, signal } = ended;
  if (ended.code === 'ENOENT') throw fail('it is not on PATH', ended.cause);
  if (ended.timedOut) throw fail(`it gave no answer within ${helperTimeoutSeconds} s`);
  if (ended.isMaxBuffer) throw fail(`its answer is longer than ${largestAnswer / 1024} KiB`);
  if (signal !== undefined) throw fail(`it was ended by ${signal}`);
  if (exitCode === undefined) throw fail(ended.originalMessage ?? 'it could not be started', ended.cause);
  if (exitCode !== 0) {
    if (/credentials not found/i.test(stdout)) return undefined;
    throw fail(`it ended with exit code ${exitCode}`);
  }
  const answer: HelperAnswer | undefined = parseJsonObject(stdout);
  if (answer === undefined) throw fail('its answer is not understood');
  return credentialsOf(answer, `${program}, named by ${call.askedBy}`);
}

interface HelperAnswer {
  Username?: string;
  Secret?: string;
}

function credentialsOf({ Username: user, Secret: secret }: HelperAnswer, origin: string): Credentials | undefined {
  if (!user || !secret) return undefined;
  return user === '<token>'
    ? { origin, kind: 'identity', token: secret }
    : { origin, kind: 'password', user, password: secret };
}

/**
 * Runs the helper to its end. The result's own message must not get into an error, because it shows the helper's
 * output.
 */
async function runHelper(program: string, server: string, { env, signal }: HelperCall) {
  signal.throwIfAborted();
  const { execa } = await import('execa');
  return execa(program, ['get'], {
    env,
    extendEnv: false,
    input: `${server}\n`,
    stderr: 'ignore',
    reject: false,
    timeout: helperTimeoutSeconds * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: largestAnswer,
    cancelSignal: signal,
  });
}

function helperFailed(
  program: string,
  { name }: RegistryAddress,
  { askedBy }: HelperCall,
  why: string,
  cause?: unknown,
): GbuildError {
  return new GbuildError('registry-denied', `no credentials for ${name}: ${program}, named by ${askedBy}: ${why}`, {
    suggestions: [`echo ${name} | ${program} get >/dev/null`, `docker login ${name}`],
    ...(cause instanceof Error && { cause }),
    facts: { registry: name, helper: program },
  });
}
