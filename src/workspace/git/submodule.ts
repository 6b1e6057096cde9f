import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { isThere, largestSettings, readWhole } from '../../fs/read-bounded.ts';
import { findRepository, type GitRepository } from './git-repository.ts';
import { isOwnRepository } from './own-repository.ts';
import { parseGitConfig } from './parse-git-config.ts';

/**
 * Finds the repository of a submodule that is checked out at a folder. Undefined where none is, and where a link leads
 * there. A task may write to the folder: another repository than the submodule's is never read.
 *
 * @throws GbuildError `workspace-unreadable` where `.git` is not what git writes there.
 */
export function findSubmodule(parent: GitRepository, dir: string): GitRepository | undefined {
  if (!isThere(join(dir, '.git')) || isBehindLink(parent.topDir, dir)) return undefined;
  const repository = findRepository(dir);
  if (repository?.topDir !== dir) return undefined;
  if (isOfParent(parent, repository)) return repository;
  throw otherRepository(parent, repository);
}

/**
 * Reports a foreign repository. No git may run in that folder before `.git` is right again, so the fix does not use
 * git.
 */
function otherRepository(parent: GitRepository, { topDir, gitDir }: GitRepository): GbuildError {
  const claiming = listModules(parent).find((module) => readWorktree(module) === realpathSync(topDir));
  const remove = `rm -r '${topDir}/.git'`;
  const restore =
    claiming === undefined
      ? `git -C '${parent.topDir}' submodule update --init '${relative(parent.topDir, topDir)}'`
      : `echo 'gitdir: ${relative(topDir, claiming)}' >'${topDir}/.git'`;
  return new GbuildError('workspace-unreadable', `${topDir}/.git leads to a repository that is not this submodule's`, {
    suggestions: [`${remove} && ${restore}`],
    facts: { submodule: topDir, gitDir },
  });
}

/**
 * Whether the repository is the parent's submodule: its git folder lies inside the parent's, which tasks cannot write
 * to, or in the submodule as `git init` made it.
 */
function isOfParent(parent: GitRepository, repository: GitRepository): boolean {
  const { topDir, gitDir } = repository;
  if (gitDir !== join(topDir, '.git')) {
    const real = realpathSync(gitDir);
    return listModuleFolders(parent).some((folder) => real.startsWith(`${folder}/`));
  }
  if (!lstatSync(gitDir).isDirectory() || !isOwnRepository(repository)) return false;
  const real = realpathSync(topDir);
  return listModules(parent).every((module) => readWorktree(module) !== real);
}

function listModuleFolders({ gitDir, commonDir }: GitRepository): string[] {
  const folders = [...new Set([gitDir, commonDir])].map((dir) => join(dir, 'modules'));
  return folders.filter((folder) => isThere(folder)).map((folder) => realpathSync(folder));
}

/**
 * Lists the git folders of the parent's submodules. A name may have slashes, so the content tells which folder is one.
 */
function listModules(parent: GitRepository): string[] {
  const listBelow = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) return [];
      return isThere(join(path, 'HEAD')) ? [path] : listBelow(path);
    });
  return listModuleFolders(parent).flatMap(listBelow);
}

/** Returns the working tree of a submodule's git folder. */
function readWorktree(gitDir: string): string | undefined {
  const config = join(gitDir, 'config');
  if (!isThere(config)) return undefined;
  const { variables } = parseGitConfig(readWhole(config, largestSettings).toString('latin1'));
  const found = variables.find(({ section, key }) => section === 'core' && key === 'worktree')?.value;
  const dir = found === undefined ? undefined : resolve(gitDir, Buffer.from(found, 'latin1').toString());
  return dir !== undefined && isThere(dir) ? realpathSync(dir) : undefined;
}

/** Whether a folder on the way from the top is a link, which git does not follow either. */
function isBehindLink(topDir: string, dir: string): boolean {
  for (let at = dir; at !== topDir && at !== dirname(at); at = dirname(at))
    if (lstatSync(at).isSymbolicLink()) return true;
  return false;
}
