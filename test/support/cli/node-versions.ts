import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';

/** Fetches the binary of an exact Node from npm's package, once, to a folder outside of the checkout. */
export async function ensureNode(version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const home = await ensureNpmPackages(join('node', version), [`${name}@${version}`]);
  return join(home, 'node_modules', name, 'bin/node');
}

/** Makes a folder of the tests' cache with installed packages of the registry, once. */
export function ensureNpmPackages(folder: string, packages: string[]): Promise<string> {
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  return makeOnce(join(testCacheDir, folder), `fetch ${packages.join(' ')}`, (home) =>
    runToEnd('npm', ['install', '--prefix', home, ...flags, ...packages], { env: trustingEnv() }),
  );
}

/** Passes the system's roots to Node, which reads the system's store only when told to. */
function trustingEnv(): Record<string, string> {
  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  return process.env.NODE_EXTRA_CA_CERTS || !existsSync(bundle) ? {} : { NODE_EXTRA_CA_CERTS: bundle };
}
