import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ownerIsDead, ownerText, parseOwner } from '../engine/owner.ts';
import { diskError } from '../errors.ts';
import type { Rim } from './rim.ts';

/** Lends a folder for large intermediate files and removes it afterwards; folders that dead processes left go too. */
export async function withWorkDir<T>({ host, engine }: Rim, work: (hostDir: string) => Promise<T>): Promise<T> {
  const parent = join(host.cacheDir, 'work');
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    const owner = parseOwner(name.split('.')[0] ?? '');
    if (owner !== undefined && ownerIsDead(owner, engine.owner)) removeTree(join(parent, name));
  }
  const hostDir = mkdtempSync(join(parent, `${ownerText(engine.owner)}.`));
  try {
    return await work(hostDir);
  } catch (thrown) {
    throw diskError(thrown, parent) ?? thrown;
  } finally {
    removeTree(hostDir);
  }
}

/** What cannot be removed now is tried again by the next one. */
function removeTree(hostDir: string): void {
  try {
    rmSync(hostDir, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // A file of another user, or one still being written.
  }
}
