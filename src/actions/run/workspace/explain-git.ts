import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../../../errors.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import { findRepository, type GitRepository } from '../../../workspace/git/git-repository.ts';
import type { MountedWorkspace } from './with-copy.ts';

/** Exit code of git where it finds no complete repository. Other programs use it for anything. */
const notFound = 128;

/** Explains why git failed in a task, where this machine has the complete repository. */
export function explainGit(exitCode: number, rootDir: string, workspace: MountedWorkspace): string | undefined {
  const repository = exitCode === notFound ? findAny(rootDir) : undefined;
  if (repository === undefined) return undefined;
  const { topDir, gitDir, commonDir } = repository;
  if (isInContainer(repository, rootDir, workspace)) {
    const alternates = join(commonDir, 'objects/info/alternates');
    if (lstatSync(alternates, { throwIfNoEntry: false }) === undefined) return undefined;
    return `git lacks objects in the container: ${alternates} names folders that no task sees; "git repack -a -d" copies them, then remove that file`;
  }
  const said = 'git has no repository in the container';
  const isThere = workspace.isShared ? 'mounted' : 'sent to the engine';
  if (topDir !== rootDir)
    return `${said}: only ${rootDir} is ${isThere}, and the repository around it tracks nothing in it; git add its files first`;
  if (gitDir === join(rootDir, '.git'))
    return `${said}: ${gitDir} is a link, and what it leads to is not sent to the engine`;
  return `${said}: ${rootDir}/.git names ${gitDir}, which does not name this folder back`;
}

function isInContainer({ gitDir }: GitRepository, rootDir: string, { isShared, gitMounts = [] }: MountedWorkspace) {
  const own = join(rootDir, '.git');
  if (gitDir === own) return isShared || lstatSync(own).isDirectory();
  return gitMounts.some(({ type, containerDir }) => type === 'volume' || containerDir === containerPaths.gitObjects);
}

function findAny(rootDir: string): GitRepository | undefined {
  try {
    return findRepository(rootDir);
  } catch (thrown) {
    if (thrown instanceof GbuildError) return undefined;
    throw thrown;
  }
}
