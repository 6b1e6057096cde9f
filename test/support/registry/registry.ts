import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Issued } from '../network/authority.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';

/** User of a registry with a password. */
export const registryUser = { user: 'ci', password: 'of the tests' };
const htpasswd = 'ci:$2y$05$abcdefghijklmnopqrstuuGTOWXyqQPaHqE6HZfnX2nsY3HHWkUie\n';

export interface RegistryOptions {
  /** Whether only `registryUser` may enter. */
  withPassword?: boolean;
  tls?: Issued & { clientRootFile?: string };
  /** Token server for bearer tokens. */
  tokens?: { realm: string; service: string; issuer: string; rootFile: string };
  readOnly?: boolean;
  /** Address of this machine to listen at; defaults to 127.0.0.1. */
  address?: string;
}

/** Real registry (Debian's docker-registry) on a separate port, with its data in a temporary folder. */
export interface TestRegistry extends AsyncDisposable {
  /** Address as `127.0.0.1:PORT`, or with the given address. */
  host: string;
  port: number;
  log(): string;
}

export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const program = await ensureRegistryProgram();
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-registry-'));
  const port = await findFreePort();
  const configFile = join(dir, 'config.json');
  writeFileSync(join(dir, 'htpasswd'), htpasswd);
  // The configuration is YAML, and JSON is valid YAML.
  writeFileSync(configFile, JSON.stringify(configOf(dir, port, options)));
  const child = spawn(program, ['serve', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const dispose = async () => {
    await endProcess(child);
    rmSync(dir, { recursive: true, force: true });
  };
  for (let tries = 0; !(await listens(port, options.address)); tries += 1) {
    if (child.exitCode !== null || tries > 200) {
      await dispose();
      throw new Error(`the registry did not start:\n${log}`);
    }
    await sleep(25);
  }
  return { host: `${options.address ?? '127.0.0.1'}:${port}`, port, log: () => log, [Symbol.asyncDispose]: dispose };
}

function configOf(
  dir: string,
  port: number,
  { withPassword, tls, tokens, readOnly, address = '127.0.0.1' }: RegistryOptions,
): object {
  const { realm, service, issuer, rootFile } = tokens ?? {};
  return {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(dir, 'data') },
      delete: { enabled: true },
      maintenance: { readonly: { enabled: readOnly === true }, uploadpurging: { enabled: false } },
    },
    http: {
      addr: `${address}:${port}`,
      secret: 'of the tests',
      ...(tls && {
        tls: {
          certificate: tls.certFile,
          key: tls.keyFile,
          ...(tls.clientRootFile && { clientcas: [tls.clientRootFile] }),
        },
      }),
    },
    ...(withPassword && { auth: { htpasswd: { realm: 'tests', path: join(dir, 'htpasswd') } } }),
    ...(tokens && { auth: { token: { realm, service, issuer, rootcertbundle: rootFile } } }),
  };
}

/** Extracts only the program from the Debian package: installing it would start a service. Kept in the tests' cache. */
async function ensureRegistryProgram(): Promise<string> {
  const dir = join(testCacheDir, `docker-registry-${process.arch}`);
  await makeOnce(dir, 'fetch docker-registry', async (temporary) => {
    const cwd = `${temporary}.deb`;
    mkdirSync(cwd, { recursive: true });
    try {
      const download = () => runToEnd('apt-get', ['download', '-q', 'docker-registry'], { cwd });
      await download().catch(async () => {
        await runToEnd('apt-get', ['update', '-q']);
        await download();
      });
      const packed = readdirSync(cwd).find((name) => name.endsWith('.deb'));
      await runToEnd('dpkg', ['-x', packed ?? 'nothing', temporary], { cwd });
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  });
  return join(dir, 'usr/bin/docker-registry');
}

/** Finds a free port of 127.0.0.1. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether any answer comes: a server with TLS answers 400 to plain HTTP. */
function listens(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host, port, path: '/', agent: false }, (answer) => {
      answer.resume();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
