import { join } from 'node:path';
import { GbuildError } from '../../../errors.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import { placeSubmodule } from '../../../workspace/git/git-file.ts';
import { findRepository, type GitRepository } from '../../../workspace/git/git-repository.ts';
import { isOwnRepository } from '../../../workspace/git/own-repository.ts';

/** Returns the path in the container of the git folder, for a repository whose top does not hold it. */
export function gitDirInside({ topDir }: GitRepository, rootDir: string): string {
  return topDir === rootDir ? containerPaths.gitDir : `${containerPaths.repository}/.git`;
}

/**
 * Returns a function that maps a `.git` file of the workspace to the path in the container that it means. Undefined
 * where its content is right in the container too.
 */
export function findGitLinks(rootDir: string): (path: string) => string | undefined {
  let found: { repository: GitRepository | undefined } | undefined;
  return (path) => {
    if (path === '.git') return containerPaths.gitDir;
    found ??= { repository: findAny(rootDir) };
    const { repository } = found;
    return repository && placeSubmodule(join(rootDir, path), repository, gitDirInside(repository, rootDir));
  };
}

/** Finds the repository; undefined where there is none, or where its settings make no sense. */
function findAny(rootDir: string): GitRepository | undefined {
  try {
    const repository = findRepository(rootDir);
    return repository !== undefined && isOwnRepository(repository) ? repository : undefined;
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'workspace-unreadable') return undefined;
    throw thrown;
  }
}
