import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installPackages } from '../engines/test-engine.ts';
import { findFreePort } from '../registry/registry.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';

const version = '5.2.5';
const region = 'us-east-1';

/** Server that answers as AWS does, with data in memory. */
export interface Moto extends AsyncDisposable {
  /** Address `http://127.0.0.1:PORT` for AWS_ENDPOINT_URL. */
  url: string;
  /** Address `127.0.0.1:PORT`. */
  host: string;
  /** Environment with which a client reaches it: endpoint, region and a key. */
  env: Record<string, string>;
  /** Sends a request of the query protocol, such as IAM's `CreateUser`. Returns the answer's text. */
  query(service: string, parameters: Record<string, string>): Promise<string>;
  /** Makes a bucket of S3. */
  makeBucket(name: string): Promise<void>;
  /** Makes a user who may do everything, and returns its key. */
  makeKey(user: string): Promise<{ id: string; secret: string }>;
  /** From now on checks keys, signatures and policies, or no longer. */
  checkKeys(isChecked: boolean): Promise<void>;
  /** Returns what the server wrote. */
  log(): string;
}

/** Starts the server on a port of its own; `env` is added to its environment. */
export async function startMoto({ env = {} }: { env?: Record<string, string> } = {}): Promise<Moto> {
  const python = await ensureMoto();
  const port = await findFreePort();
  const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The bucket is always the first part of the path, whatever name a proxy knows the server by.
    env: { PATH: process.env.PATH, MOTO_PORT: String(port), S3_IGNORE_SUBDOMAIN_BUCKETNAME: 'true', ...env },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(url)); tries += 1) {
    if (child.exitCode !== null || tries > 2400) {
      await endProcess(child);
      throw new Error(`moto did not start:\n${log}`);
    }
    await sleep(50);
  }
  return { ...clientOf(url), log: () => log, [Symbol.asyncDispose]: () => endProcess(child) };
}

function clientOf(url: string): Omit<Moto, 'log' | typeof Symbol.asyncDispose> {
  const query: Moto['query'] = (service, parameters) =>
    must(`${url}/`, {
      method: 'POST',
      headers: { Authorization: authorizationOf(service) },
      body: new URLSearchParams({ Version: '2010-05-08', ...parameters }),
    });
  return {
    url,
    host: new URL(url).host,
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'of-the-tests',
    },
    query,
    makeBucket: async (name) => {
      await must(`${url}/${name}`, { method: 'PUT', headers: { Authorization: authorizationOf('s3') } });
    },
    makeKey: async (user) => {
      const all = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
      await query('iam', { Action: 'CreateUser', UserName: user });
      await query('iam', {
        Action: 'PutUserPolicy',
        UserName: user,
        PolicyName: 'all',
        PolicyDocument: JSON.stringify(all),
      });
      const made = await query('iam', { Action: 'CreateAccessKey', UserName: user });
      const read = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(made)?.[1] ?? '';
      return { id: read('AccessKeyId'), secret: read('SecretAccessKey') };
    },
    checkKeys: async (isChecked) => {
      await must(`${url}/moto-api/reset-auth`, { method: 'POST', body: isChecked ? '0' : 'inf' });
    },
  };
}

/** Returns a header by which the server tells which service is meant; it checks the signature only on demand. */
function authorizationOf(service: string): string {
  const credential = `AKIAIOSFODNN7EXAMPLE/20260101/${region}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=0`;
}

async function must(url: string, request: RequestInit): Promise<string> {
  const answer = await fetch(url, request);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${request.method} ${url}: ${answer.status} ${text}`);
  return text;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/data.json`)).ok;
  } catch {
    return false;
  }
}

/** Makes Python's environment with the server in the tests' cache. Returns its python. */
async function ensureMoto(): Promise<string> {
  const dir = join(testCacheDir, `moto-${version}`);
  await makeOnce(dir, `install moto ${version}`, async (temporary) => {
    // Debian's python3 has no ensurepip without python3-venv.
    const makeVenv = () => runToEnd('/usr/bin/python3', ['-m', 'venv', temporary]);
    await makeVenv().catch(async () => {
      await installPackages(['python3', 'python3-venv']);
      await makeVenv();
    });
    await runToEnd(join(temporary, 'bin/python3'), ['-m', 'pip', 'install', '--quiet', `moto[server]==${version}`]);
  });
  return join(dir, 'bin/python3');
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
