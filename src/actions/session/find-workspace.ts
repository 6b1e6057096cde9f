import { dirname } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { silentProgress } from '../../reporter/progress.ts';
import { openWorkspace, type Places, type WorkspaceSession } from './open-repository.ts';

/** The repository around the caller, for commands that can do without one; undefined where there is none. */
export async function findWorkspace(places: Places): Promise<WorkspaceSession | undefined> {
  if (dirname(places.host.cwd) === places.host.cwd) return undefined;
  try {
    return await openWorkspace(places, silentProgress);
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'spec-missing') return undefined;
    throw thrown;
  }
}
