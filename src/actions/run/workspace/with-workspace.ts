import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { EngineBlindError } from '../../../engine/container/probe.ts';
import { isDetached } from '../../../engine/container/resume.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import { readPlace } from '../../../workspace/git/project-place.ts';
import { MountModeMemory } from './mount-mode.ts';
import { PrivateGit } from './private-git.ts';
import { planSubmoduleMounts } from './submodule-mounts.ts';
import {
  type MountedWorkspace,
  projectDirOf,
  type SyncReport,
  type WorkspaceInput,
  withSyncedCopy,
} from './with-copy.ts';

/** Result of the work; `sync` where the workspace was sent. */
export interface WorkspaceResult<T> {
  done: T;
  sync?: SyncReport;
}

/**
 * Runs the work with the workspace on the engine: bound where the engine sees it, else copied to a volume. The volume's
 * changes come back even when the work fails. A second stop ends that too.
 */
export async function withWorkspace<T>(
  input: WorkspaceInput,
  work: (workspace: MountedWorkspace) => Promise<T>,
): Promise<WorkspaceResult<T>> {
  const { engine, host, session, image } = input;
  const { rootDir } = session;
  const memory = await MountModeMemory.open(engine, host, rootDir);
  const known = memory.read();
  const mode = known ?? ((await engine.seesFolder(image, rootDir)) ? 'mount' : 'sync');
  if (known !== mode) memory.write(mode);
  if (mode === 'mount' && !isLink(join(rootDir, '.git'))) {
    try {
      return { done: await withBind(input, work) };
    } catch (thrown) {
      // Thrown before anything runs: the recorded mode was outdated.
      if (!isBlindTo(rootDir, thrown)) throw thrown;
      memory.write('sync');
    }
  }
  return withSyncedCopy(input, work);
}

async function withBind<T>(
  { engine, host, session: { rootDir } }: WorkspaceInput,
  work: (workspace: MountedWorkspace) => Promise<T>,
): Promise<T> {
  const bind = { hostDir: rootDir, containerDir: containerPaths.workspace };
  const place = await readPlace(rootDir, host.env);
  const project = projectDirOf(place);
  const binding = { mount: { type: 'bind', ...bind }, probe: bind, isShared: true, ...project } as const;
  const containerDirs = [containerPaths.workspace, ...Object.values(project)];
  using git = await PrivateGit.open(rootDir, place, engine, host);
  const plan = (placeGitFile: (path: string) => string) =>
    planSubmoduleMounts(rootDir, containerDirs, host, placeGitFile);
  const gitMounts = [...git.mounts, ...(await plan((path) => git.placeGitFile(path)))];
  try {
    return await work({ ...binding, gitMounts }).catch(async (thrown: unknown) => {
      // A linked working tree has its git folder in another place, which the engine may not see.
      if (isBlindTo(rootDir, thrown) || !gitMounts.some(({ hostDir }) => isBlindTo(hostDir, thrown))) throw thrown;
      return work({ ...binding, gitMounts: [...git.mountsOfBlind, ...(await plan((path) => join(rootDir, path)))] });
    });
  } catch (thrown) {
    if (isDetached(thrown)) git.leave();
    throw thrown;
  }
}

/**
 * Nothing can be bound over a link: a task could replace the link by a folder. A link changed in a copy does not come
 * back.
 */
function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** Whether the engine cannot see the folder, or something in it. */
function isBlindTo(folder: string, thrown: unknown): boolean {
  if (!(thrown instanceof EngineBlindError)) return false;
  return thrown.hostDir === folder || thrown.hostDir.startsWith(`${folder}/`);
}
