import { copyFileSync, existsSync, lstatSync, mkdirSync, utimesSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { askGit } from './git.ts';
import { findRepository, type GitRepository } from './git-repository.ts';
import { isOwnRepository } from './own-repository.ts';

/** Project below the top of the repository that tracks it. */
export interface ProjectPlace {
  repository: GitRepository;
  /** Folder of the project, relative to the top. */
  path: string;
  /** Tracked paths of the rest of the repository, relative to the top. */
  outside: string[];
}

/** Files that git reads in each folder above a project, to decide what it ignores and how it compares. */
const rules = ['.gitignore', '.gitattributes', '.mailmap'];

/**
 * Reads the path of a project in its repository. Undefined at the top, outside of a repository, where git refuses to
 * read it, and where nothing of the project is tracked: a folder that merely lies in a repository does not belong to
 * it.
 */
export async function readPlace(rootDir: string, env: NodeJS.ProcessEnv): Promise<ProjectPlace | undefined> {
  if (existsSync(join(rootDir, '.git'))) return undefined;
  try {
    const repository = findRepository(rootDir);
    if (repository === undefined || !isOwnRepository(repository)) return undefined;
    const { exitCode, stdout } = await askGit(repository.topDir, ['ls-files', '-z'], env);
    if (exitCode !== 0) return undefined;
    const path = relative(repository.topDir, resolve(rootDir));
    const tracked = [...new Set(stdout.split('\0'))].filter((name) => name !== '');
    const outside = tracked.filter((name) => !name.startsWith(`${path}/`));
    return outside.length === tracked.length ? undefined : { repository, path, outside };
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'workspace-unreadable') return undefined;
    throw thrown;
  }
}

/** Makes the folders from the top down to the project, with git's rule files in them; the project's own stays empty. */
export function copyAbove({ repository, path }: ProjectPlace, toDir: string): void {
  mkdirSync(join(toDir, path), { recursive: true });
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    for (const name of rules) copyRule(join(repository.topDir, folder, name), join(toDir, folder, name));
    if (folder === '.') return;
  }
}

/** Makes git skip the tracked paths outside of the project, because they are missing; `indexFile` is a copy. */
export async function hideOutside(
  { repository, outside }: ProjectPlace,
  copyDir: string,
  indexFile: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const absent = outside.filter((name) => !existsSync(join(copyDir, name)));
  const input = absent.map((name) => `${name}\0`).join('');
  // A split index would look for its second file next to the real one.
  const args = ['-c', 'core.splitIndex=false', 'update-index', '--skip-worktree', '-z', '--stdin'];
  const { exitCode, stderr } = await askGit(repository.topDir, args, env, { input, indexFile });
  if (exitCode !== 0) throw new Error(`git update-index failed: ${stderr.trim()}`);
}

/** Copies a file with its time, by which git recognizes it. */
function copyRule(from: string, to: string): void {
  const stats = lstatSync(from, { throwIfNoEntry: false });
  if (!stats?.isFile()) return;
  copyFileSync(from, to);
  utimesSync(to, stats.atime, stats.mtime);
}
