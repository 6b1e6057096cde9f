import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import { findRepository, type GitRepository, isGitDir } from './git-repository.ts';
import { parseGitConfig } from './parse-git-config.ts';

/**
 * Tells whether a git folder is its working tree's and no other's: a `.git` file may name any repository of the caller's, whose
 * objects are nobody's business here. A linked working tree and a submodule are named back. The folder of `--separate-git-dir`
 * names no tree, and then no other tree may claim it.
 */
export function isOwnRepository({ topDir, gitDir, commonDir }: GitRepository): boolean {
  const dotGit = join(topDir, '.git');
  if (gitDir === dotGit) return commonDir === gitDir && lstatSync(join(gitDir, 'objects')).isDirectory();
  if (gitDir !== commonDir)
    return dirname(gitDir) === join(commonDir, 'worktrees') && readLine(join(gitDir, 'gitdir')) === dotGit;
  const { variables } = parseGitConfig(readLine(join(gitDir, 'config')));
  const core = new Map(variables.flatMap((each) => (each.section === 'core' ? [[each.key, each.value]] : [])));
  const worktree = core.get('worktree');
  if (worktree !== undefined) return resolve(gitDir, Buffer.from(worktree, 'latin1').toString()) === topDir;
  return core.get('bare') === 'false' && isUnclaimed(gitDir);
}

/** Finds the repository of which the folder is the top; undefined where it has no git folder, or one that is not its own. */
export function findOwnRepository(rootDir: string): GitRepository | undefined {
  if (!existsSync(join(rootDir, '.git'))) return undefined;
  const repository = findRepository(rootDir);
  return repository?.topDir === resolve(rootDir) && isOwnRepository(repository) ? repository : undefined;
}

/** A folder called `.git` is the tree's around it, and one inside another git folder is a submodule's. */
function isUnclaimed(gitDir: string): boolean {
  const real = realpathSync(gitDir);
  if (basename(real) === '.git' || !lstatSync(join(real, 'objects')).isDirectory()) return false;
  for (let dir = dirname(real); dir !== dirname(dir); dir = dirname(dir)) if (isGitDir(dir)) return false;
  return true;
}

/** Empty where there is no such file. */
function readLine(file: string): string {
  return existsSync(file) ? readWhole(file, largestSettings).toString('latin1').trim() : '';
}
