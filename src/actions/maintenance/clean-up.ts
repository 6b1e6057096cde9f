import { existsSync } from 'node:fs';
import type { Engine, SweepReport } from '../../engine/engine.ts';
import { workspaceLabels } from '../../sync/workspace-copy.ts';

/** Removes what dead runs left on an engine; not what one may attach to. */
export async function cleanEngine(engine: Engine): Promise<SweepReport> {
  const swept = await engine.sweep({ networks: true });
  return { ...swept, volumes: [...swept.volumes, ...(await removeOrphans(engine))] };
}

/** Workspaces' volumes of this machine whose folder is no longer there. One that a run has is no orphan yet. */
async function removeOrphans(engine: Engine): Promise<string[]> {
  const volumes = await engine.volumes.list(`${workspaceLabels.host}=${engine.owner.host}`);
  const orphans = volumes.filter(({ labels }) => !existsSync(labels[workspaceLabels.folder] ?? '/'));
  const removed = await Promise.allSettled(orphans.map(({ name }) => engine.volumes.remove(name)));
  return orphans.map(({ name }) => name).filter((_, at) => removed[at]?.status === 'fulfilled');
}
