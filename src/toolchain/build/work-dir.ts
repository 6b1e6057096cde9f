import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../../errors.ts';
import { type Owner, ownerIsDead, ownerText, parseOwner } from '../../fs/process-owner.ts';
import type { Host } from '../../host.ts';
import type { ToolchainContext } from '../image/toolchain-context.ts';

/** Lends a folder for large intermediate files and removes it afterwards, together with folders of dead processes. */
export async function withWorkDir<T>(
  { host, engine }: ToolchainContext,
  work: (hostDir: string) => Promise<T>,
): Promise<T> {
  const parent = join(host.cacheDir, 'work');
  mkdirSync(parent, { recursive: true });
  sweepWorkDirs(host, engine.owner);
  const hostDir = mkdtempSync(join(parent, `${ownerText(engine.owner)}.`));
  try {
    return await work(hostDir);
  } catch (thrown) {
    throw diskError(thrown, parent) ?? thrown;
  } finally {
    removeTree(hostDir);
  }
}

/** Removes folders that dead processes left. Returns them. */
export function sweepWorkDirs({ cacheDir }: Pick<Host, 'cacheDir'>, self: Owner): string[] {
  const parent = join(cacheDir, 'work');
  const names = existsSync(parent) ? readdirSync(parent) : [];
  const dead = names.filter((name) => {
    const owner = parseOwner(name.split('.')[0] ?? '');
    return owner !== undefined && ownerIsDead(owner, self);
  });
  for (const name of dead) removeTree(join(parent, name));
  return dead.map((name) => join(parent, name));
}

/** Removes a tree; the next call tries the rest again. */
function removeTree(hostDir: string): void {
  try {
    rmSync(hostDir, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // The file belongs to another user, or is still being written.
  }
}
