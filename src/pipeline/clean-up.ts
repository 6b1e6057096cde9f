import { existsSync } from 'node:fs';
import type { Engine, SweepReport } from '../engine/engine.ts';
import { workspaceLabels } from '../sync/workspace-copy.ts';
import { sweepLocks } from '../toolchain/builder-lock.ts';
import { openStore } from './release-store.ts';
import { sweepRunFolders } from './run-folder.ts';
import { sweepSpools } from './spools.ts';
import type { Places } from './workspace-session.ts';

/** The story of `gbuild clean`: what dead runs left on the engine, in the release store and in the cache; not what one may attach to. */
export async function cleanUp({ host }: Places, engine: Engine): Promise<SweepReport & { files: string[] }> {
  const store = await openStore(host);
  const files = [
    ...(await store.sweep()),
    ...sweepSpools(host, engine.owner),
    ...sweepLocks(host, engine.owner),
    ...sweepRunFolders(host.cwd, engine.owner, host),
  ];
  const swept = await engine.sweep({ networks: true });
  return { ...swept, volumes: [...swept.volumes, ...(await removeOrphans(engine))], files };
}

/** Workspaces' volumes of this machine whose folder is no longer there. One that a run has is no orphan yet. */
async function removeOrphans(engine: Engine): Promise<string[]> {
  const volumes = await engine.volumes.list(`${workspaceLabels.host}=${engine.owner.host}`);
  const orphans = volumes.filter(({ labels }) => !existsSync(labels[workspaceLabels.folder] ?? '/'));
  const removed = await Promise.allSettled(orphans.map(({ name }) => engine.volumes.remove(name)));
  return orphans.map(({ name }) => name).filter((_, at) => removed[at]?.status === 'fulfilled');
}
