import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { testCacheDir } from './cache-dir.ts';
import { timeStep } from './timings.ts';

/** The binary of an exact Node, from npm's package of it, fetched once and kept outside the checkout. */
export async function ensureNode(version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const home = join(testCacheDir, 'node', version);
  const node = join(home, 'node_modules', name, 'bin/node');
  if (existsSync(node)) return node;
  mkdirSync(home, { recursive: true });
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  const args = ['install', '--prefix', home, ...flags, `${name}@${version}`];
  await timeStep(`fetch Node ${version}`, () => execa('npm', args, { env: trustingEnv() }));
  return node;
}

/** Node looks into the system's store only where it is told to. */
function trustingEnv(): Record<string, string> {
  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  return process.env.NODE_EXTRA_CA_CERTS || !existsSync(bundle) ? {} : { NODE_EXTRA_CA_CERTS: bundle };
}
