import { dirname } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { silentProgress } from '../../reporter/progress.ts';
import type { AppContext, WorkspaceSession } from './context.ts';
import { openWorkspace } from './open-repository.ts';

/** Finds the repository around the caller, for commands that also work without one. Undefined where there is none. */
export async function findWorkspace(context: Omit<AppContext, 'progress'>): Promise<WorkspaceSession | undefined> {
  if (dirname(context.host.cwd) === context.host.cwd) return undefined;
  try {
    return await openWorkspace({ ...context, progress: silentProgress });
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'spec-missing') return undefined;
    throw thrown;
  }
}
