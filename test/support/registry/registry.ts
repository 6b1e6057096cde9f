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

/** Who may enter a registry that wants a password. */
export const registryUser = { user: 'ci', password: 'of the tests' };
const htpasswd = 'ci:$2y$05$abcdefghijklmnopqrstuuGTOWXyqQPaHqE6HZfnX2nsY3HHWkUie\n';

export interface RegistryOptions {
  /** Only for `registryUser`. */
  withPassword?: boolean;
  tls?: Issued & { clientRootFile?: string };
  /** Bearer tokens of this server. */
  tokens?: { realm: string; service: string; issuer: string; rootFile: string };
  readOnly?: boolean;
  /** Of this machine, where it listens; 127.0.0.1 when left out. */
  address?: string;
}

/** A real registry (Debian's docker-registry) on a port of its own, its data in a temporary folder. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, or at the given address. */
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
  // The configuration is YAML, of which JSON is a part.
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

/** The program alone, out of the Debian package: installing it would start a service. Kept in the tests' cache. */
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

/** A port of 127.0.0.1 at which nobody listens for now. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Any answer will do: one with TLS answers 400 to plain HTTP. */
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
