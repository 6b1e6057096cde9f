import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../errors.ts';
import type { Host } from '../host.ts';
import { type Owner, ownerIsDead, parseOwner } from './process-owner.ts';

/**
 * Lends a folder of the cache for large intermediate files and removes it afterwards. Its name begins with its owner
 * (see ownerText) and a dot, by which a sweep finds folders of dead owners.
 */
export async function withTempDir<T>(host: Host, name: string, work: (tempDir: string) => Promise<T>): Promise<T> {
  const tempDir = join(tempRootOf(host), name);
  try {
    mkdirSync(tempDir, { recursive: true });
    return await work(tempDir);
  } catch (thrown) {
    throw diskError(thrown, tempRootOf(host)) ?? thrown;
  } finally {
    rmSync(tempDir, { recursive: true, force: true });
  }
}

/** Removes folders that killed owners left. Returns them. */
export function sweepTempDirs(host: Host, self: Owner): string[] {
  const swept: string[] = [];
  for (const name of listFolder(tempRootOf(host))) {
    const owner = parseOwner(name.split('.')[0] ?? '');
    if (owner === undefined || !ownerIsDead(owner, self)) continue;
    rmSync(join(tempRootOf(host), name), { recursive: true, force: true });
    swept.push(join(tempRootOf(host), name));
  }
  return swept;
}

function tempRootOf(host: Host): string {
  return join(host.cacheDir, 'spool');
}

function listFolder(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
