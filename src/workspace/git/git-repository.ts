import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { isThere, largestSettings, readWhole } from '../../fs/read-bounded.ts';
import { parseGitFile } from './git-file.ts';

/** The folders of a git repository (gitrepository-layout(5)). */
export interface GitRepository {
  /** The top of the working tree: the folder that has `.git`. */
  topDir: string;
  /** HEAD and the index. */
  gitDir: string;
  /** Config, objects and refs: another folder than `gitDir` in a linked worktree alone. */
  commonDir: string;
}

/**
 * Finds the repository that a folder is in, by git's own rules but two: a bare repository is never found, and the environment
 * has no say. Undefined outside of one. Throws `workspace-unreadable` for a `.git` that leads nowhere.
 */
export function findRepository(dir: string): GitRepository | undefined {
  for (let topDir = resolve(dir); ; topDir = dirname(topDir)) {
    const gitDir = readGitDir(topDir);
    if (gitDir !== undefined) return { topDir, gitDir, commonDir: readCommonDir(gitDir) };
    if (dirname(topDir) === topDir) return undefined;
  }
}

/** Uids that own the working tree and the git folders. */
export function listOwners({ topDir, gitDir }: GitRepository): number[] {
  return [topDir, join(topDir, '.git'), gitDir].map((path) => lstatSync(path).uid);
}

function readGitDir(topDir: string): string | undefined {
  const dotGit = join(topDir, '.git');
  const stats = readStats(dotGit);
  // git passes over a folder that is no repository.
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

/** Looks like a git folder, whatever is in it. */
export function isGitDir(dir: string): boolean {
  const has = (name: string) => isThere(join(dir, name));
  return has('HEAD') && (has('commondir') || (has('objects') && has('refs')));
}

/** Undefined for what is not there, and for a link that leads nowhere. */
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
