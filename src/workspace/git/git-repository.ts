import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { isThere, largestSettings, readWhole } from '../../fs/read-bounded.ts';
import { parseGitFile } from './git-file.ts';

/** Folders of a git repository (gitrepository-layout(5)). */
export interface GitRepository {
  /** Top of the working tree: the folder that has `.git`. */
  topDir: string;
  /** Folder of HEAD and the index. */
  gitDir: string;
  /** Folder of config, objects and refs; it differs from `gitDir` only in a linked worktree. */
  commonDir: string;
}

/**
 * Finds the repository around a folder, by git's own rules with two exceptions: a bare repository is never found, and
 * the environment has no effect. Undefined outside of one. Throws `workspace-unreadable` for a `.git` that leads
 * nowhere.
 */
export function findRepository(dir: string): GitRepository | undefined {
  for (let topDir = resolve(dir); ; topDir = dirname(topDir)) {
    const gitDir = readGitDir(topDir);
    if (gitDir !== undefined) return { topDir, gitDir, commonDir: readCommonDir(gitDir) };
    if (dirname(topDir) === topDir) return undefined;
  }
}

/** Lists the uids that own the working tree and the git folders. */
export function listOwners({ topDir, gitDir }: GitRepository): number[] {
  return [topDir, join(topDir, '.git'), gitDir].map((path) => lstatSync(path).uid);
}

function readGitDir(topDir: string): string | undefined {
  const dotGit = join(topDir, '.git');
  const stats = readStats(dotGit);
  // git skips a folder that is no repository.
  if (stats === undefined || (stats.isDirectory() && !isGitDir(dotGit))) return undefined;
  if (stats.isDirectory()) return dotGit;
  const named = parseGitFile(readText(dotGit));
  const gitDir = named === undefined ? undefined : resolve(topDir, named);
  if (gitDir !== undefined && isGitDir(gitDir)) return gitDir;
  throw unreadable(dotGit, named === undefined ? 'it names no git folder' : `there is no git folder at ${named}`);
}

function readCommonDir(gitDir: string): string {
  const file = join(gitDir, 'commondir');
  if (readStats(file) === undefined) return gitDir;
  const commonDir = resolve(gitDir, readText(file).replace(/[\r\n]+$/, ''));
  if (isGitDir(commonDir)) return commonDir;
  throw unreadable(file, `there is no git folder at ${commonDir}`);
}

/** Whether a folder looks like a git folder, whatever its content. */
export function isGitDir(dir: string): boolean {
  const has = (name: string) => isThere(join(dir, name));
  return has('HEAD') && (has('commondir') || (has('objects') && has('refs')));
}

/** Reads the stats; undefined for a missing file, and for a dangling link. */
function readStats(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw unreadable(path, messageOf(cause));
  }
}

function readText(file: string): string {
  try {
    return readWhole(file, largestSettings).toString();
  } catch (cause) {
    throw unreadable(file, messageOf(cause));
  }
}

function unreadable(file: string, why: string): GbuildError {
  return new GbuildError('workspace-unreadable', `${file} cannot be read: ${why}`, {
    suggestions: ['git status'],
    facts: { file },
  });
}
