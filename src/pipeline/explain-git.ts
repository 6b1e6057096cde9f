import { GbuildError } from '../errors.ts';
import { containerPaths } from '../plan/paths.ts';
import { findRepository, type GitRepository } from '../workspace/git-repository.ts';
import type { CarriedWorkspace } from './carry-copy.ts';

/** git's own exit code where it finds no repository. Of other programs it means nothing. */
const notFound = 128;

/** Says why git found no repository in a task, where it finds one on this machine. */
export function explainGit(exitCode: number, rootDir: string, workspace: CarriedWorkspace): string | undefined {
  const repository = exitCode === notFound ? findAny(rootDir) : undefined;
  const mounts = workspace.gitMounts ?? [];
  if (repository === undefined || mounts.some(({ containerDir }) => containerDir === containerPaths.gitObjects))
    return undefined;
  const { topDir, gitDir } = repository;
  const said = 'git has no repository in the container';
  if (workspace.isShared && topDir !== rootDir)
    return `${said}: only ${rootDir} is mounted, and the repository around it tracks nothing in it; git add its files first`;
  if (workspace.isShared) return `${said}: ${rootDir}/.git names ${gitDir}, which does not name this folder back`;
  if (gitDir.startsWith(`${rootDir}/`)) return undefined;
  return `${said}: only ${rootDir} is sent to the engine, and its git folder is ${gitDir}`;
}

function findAny(rootDir: string): GitRepository | undefined {
  try {
    return findRepository(rootDir);
  } catch (thrown) {
    if (thrown instanceof GbuildError) return undefined;
    throw thrown;
  }
}
