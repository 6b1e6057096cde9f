import { spawn } from 'node:child_process';
import { GbuildError, messageOf } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { parseJsonObject } from '../../oci/json.ts';
import type { RegistryAddress } from '../http/address.ts';

/** Login of the caller at a registry, and where it was found. */
export type Credentials = { origin: string } & (
  | { kind: 'password'; user: string; password: string }
  /** Is changed for bearer tokens (OAuth2 refresh token). */
  | { kind: 'identity'; token: string }
  | { kind: 'bearer'; token: string }
);

const helperTimeoutSeconds = 30;

export interface HelperCall {
  env: Host['env'];
  /** The key and the file that name the helper. */
  askedBy: string;
  signal: AbortSignal;
}

interface Answer {
  exitCode: number | null;
  stdout: string;
  timedOut: boolean;
}

/**
 * `docker-credential-NAME get` with the server on standard input (docker-credential-helpers). `undefined` when it does not know
 * the registry. Nothing that it prints gets into an error: it may be a secret.
 */
export async function askHelper(
  name: string,
  address: RegistryAddress,
  call: HelperCall,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  const fail = (why: string, cause?: unknown) => helperFailed(program, address, call, why, cause);
  if (!/^[\w.-]+$/.test(name)) throw fail('that is no name of a program');
  const { exitCode, stdout, timedOut } = await runHelper(program, address.credentialKey, call).catch((cause) => {
    if (call.signal.aborted) throw call.signal.reason;
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw fail(isMissing ? 'it is not on PATH' : messageOf(cause), cause);
  });
  if (timedOut) throw fail(`it gave no answer within ${helperTimeoutSeconds} s`);
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

function runHelper(program: string, server: string, { env, signal }: HelperCall): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(program, ['get'], { env, signal, stdio: ['pipe', 'pipe', 'ignore'] });
    let stdout = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, helperTimeoutSeconds * 1000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.on('error', reject).on('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, stdout, timedOut });
    });
    // One that ends without reading breaks the pipe: its exit code tells.
    child.stdin.on('error', () => {}).end(`${server}\n`);
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
