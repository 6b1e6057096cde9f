import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine, SweepReport } from '../engine/engine.ts';
import { sweepTemporaries } from '../fs/replace-file.ts';
import { workspaceLabels } from '../sync/workspace-copy.ts';
import { sweepLocks } from '../toolchain/builder-lock.ts';
import { sweepGitCopies } from './private-git.ts';
import { openStore } from './release-store.ts';
import { sweepSpools } from './spools.ts';
import type { Places } from './workspace-session.ts';

/** The story of `gbuild clean`: what dead runs left on the engine, in the release store and in the cache; not what one may attach to. */
export async function cleanUp({ host }: Places, engine: Engine): Promise<SweepReport & { files: string[] }> {
  const store = await openStore(host);
  const files = [
    ...(await store.sweep()),
    ...sweepSpools(host, engine.owner),
    ...sweepLocks(host, engine.owner),
    ...sweepGitCopies(host.cwd, engine.owner, host),
    ...listFolders(host.cacheDir).flatMap(sweepTemporaries),
  ];
  const swept = await engine.sweep({ networks: true });
  return { ...swept, volumes: [...swept.volumes, ...(await removeOrphans(engine))], files };
}

function listFolders(dir: string): string[] {
  if (!existsSync(dir)) return [];
  const items = readdirSync(dir, { withFileTypes: true });
  return items.filter((item) => item.isDirectory()).map(({ name }) => join(dir, name));
}

/** Workspaces' volumes of this machine whose folder is no longer there. One that a run has is no orphan yet. */
async function removeOrphans(engine: Engine): Promise<string[]> {
  const volumes = await engine.volumes.list(`${workspaceLabels.host}=${engine.owner.host}`);
  const orphans = volumes.filter(({ labels }) => !existsSync(labels[workspaceLabels.folder] ?? '/'));
  const removed = await Promise.allSettled(orphans.map(({ name }) => engine.volumes.remove(name)));
  return orphans.map(({ name }) => name).filter((_, at) => removed[at]?.status === 'fulfilled');
}
