import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import { findRepository, type GitRepository, isGitDir } from './git-repository.ts';
import { parseGitConfig } from './parse-git-config.ts';

/**
 * Tells whether a git folder belongs to its working tree alone: a `.git` file may name any repository of the caller's,
 * whose objects are private. A linked working tree and a submodule are named in their git folder. The folder of
 * `--separate-git-dir` names no tree; then no other tree may claim it.
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

/** Finds the repository with this folder as its top; undefined where it has no git folder, or a foreign one. */
export function findOwnRepository(rootDir: string): GitRepository | undefined {
  if (!existsSync(join(rootDir, '.git'))) return undefined;
  const repository = findRepository(rootDir);
  return repository?.topDir === resolve(rootDir) && isOwnRepository(repository) ? repository : undefined;
}

/**
 * Whether no other tree owns the git folder: one called `.git` belongs to the tree around it, and one inside another
 * git folder to a submodule.
 */
function isUnclaimed(gitDir: string): boolean {
  const real = realpathSync(gitDir);
  if (basename(real) === '.git' || !lstatSync(join(real, 'objects')).isDirectory()) return false;
  for (let dir = dirname(real); dir !== dirname(dir); dir = dirname(dir)) if (isGitDir(dir)) return false;
  return true;
}

/** Reads a line; empty where the file is missing. */
function readLine(file: string): string {
  return existsSync(file) ? readWhole(file, largestSettings).toString('latin1').trim() : '';
}
