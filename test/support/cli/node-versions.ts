import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';

/** The binary of an exact Node, from npm's package of it, fetched once and kept outside the checkout. */
export async function ensureNode(version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const home = await ensureNpmPackages(join('node', version), [`${name}@${version}`]);
  return join(home, 'node_modules', name, 'bin/node');
}

/** A folder of the tests' cache with packages of the registry installed in it, made once. */
export function ensureNpmPackages(folder: string, packages: string[]): Promise<string> {
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  return makeOnce(join(testCacheDir, folder), `fetch ${packages.join(' ')}`, (home) =>
    runToEnd('npm', ['install', '--prefix', home, ...flags, ...packages], { env: trustingEnv() }),
  );
}

/** Node looks into the system's store only where it is told to. */
function trustingEnv(): Record<string, string> {
  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  return process.env.NODE_EXTRA_CA_CERTS || !existsSync(bundle) ? {} : { NODE_EXTRA_CA_CERTS: bundle };
}
