import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../errors.ts';
import type { Host } from '../host.ts';
import { type Owner, ownerIsDead, parseOwner } from './process-owner.ts';

/**
 * Lends a folder of the cache for large intermediate files and removes it afterwards. Its name begins with its owner's (see
 * ownerText) and a dot, by which a sweep tells what the dead have left.
 */
export async function withSpool<T>(host: Host, name: string, work: (spoolDir: string) => Promise<T>): Promise<T> {
  const spoolDir = join(spoolsOf(host), name);
  try {
    mkdirSync(spoolDir, { recursive: true });
    return await work(spoolDir);
  } catch (thrown) {
    throw diskError(thrown, spoolsOf(host)) ?? thrown;
  } finally {
    rmSync(spoolDir, { recursive: true, force: true });
  }
}

/** Removes what killed owners left; answers the folders. */
export function sweepSpools(host: Host, self: Owner): string[] {
  const swept: string[] = [];
  for (const name of listFolder(spoolsOf(host))) {
    const owner = parseOwner(name.split('.')[0] ?? '');
    if (owner === undefined || !ownerIsDead(owner, self)) continue;
    rmSync(join(spoolsOf(host), name), { recursive: true, force: true });
    swept.push(join(spoolsOf(host), name));
  }
  return swept;
}

function spoolsOf(host: Host): string {
  return join(host.cacheDir, 'spool');
}

function listFolder(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
