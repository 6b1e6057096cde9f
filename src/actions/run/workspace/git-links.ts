import { join } from 'node:path';
import { GbuildError } from '../../../errors.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import { placeSubmodule } from '../../../workspace/git/git-file.ts';
import { findRepository, type GitRepository } from '../../../workspace/git/git-repository.ts';
import { isOwnRepository } from '../../../workspace/git/own-repository.ts';

/** Answers where tasks have the git folder of a repository that does not hold it at its top. */
export function gitDirInside({ topDir }: GitRepository, rootDir: string): string {
  return topDir === rootDir ? containerPaths.gitDir : `${containerPaths.repository}/.git`;
}

/** Tells of a `.git` file of a workspace, by its path there, where in a container what it names is; undefined where it holds there too. */
export function findGitLinks(rootDir: string): (path: string) => string | undefined {
  let found: { repository: GitRepository | undefined } | undefined;
  return (path) => {
    if (path === '.git') return containerPaths.gitDir;
    found ??= { repository: findAny(rootDir) };
    const { repository } = found;
    return repository && placeSubmodule(join(rootDir, path), repository, gitDirInside(repository, rootDir));
  };
}

/** Undefined where there is none, or one that says nothing sensible of itself. */
function findAny(rootDir: string): GitRepository | undefined {
  try {
    const repository = findRepository(rootDir);
    return repository !== undefined && isOwnRepository(repository) ? repository : undefined;
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'workspace-unreadable') return undefined;
    throw thrown;
  }
}
