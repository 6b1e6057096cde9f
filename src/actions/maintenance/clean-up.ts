import { existsSync } from 'node:fs';
import type { Engine, SweepReport } from '../../engine/engine.ts';
import { workspaceLabels } from '../../sync/workspace-copy.ts';

/** Removes what dead runs left on an engine, except runs that `gbuild attach` can follow. */
export async function cleanEngine(engine: Engine): Promise<SweepReport> {
  const swept = await engine.sweep({ networks: true });
  return { ...swept, volumes: [...swept.volumes, ...(await removeOrphans(engine))] };
}

/** Removes the workspace volumes of this machine whose folder is gone. A volume that a run uses stays. */
async function removeOrphans(engine: Engine): Promise<string[]> {
  const volumes = await engine.volumes.list(`${workspaceLabels.host}=${engine.owner.host}`);
  const orphans = volumes.filter(({ labels }) => !existsSync(labels[workspaceLabels.folder] ?? '/'));
  const removed = await Promise.allSettled(orphans.map(({ name }) => engine.volumes.remove(name)));
  return orphans.map(({ name }) => name).filter((_, at) => removed[at]?.status === 'fulfilled');
}
