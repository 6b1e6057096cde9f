import { lstatSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { askGit } from './git.ts';
import { findRepository } from './git-repository.ts';

/**
 * Reads the existing paths that git ignores below the root: files, and whole folders where everything that could ever
 * be in them is ignored. Empty outside of a repository.
 */
export async function readIgnored(rootDir: string, env: NodeJS.ProcessEnv): Promise<Set<string>> {
  if (!(await isRuled(rootDir, env))) return new Set();
  const args = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'];
  const { exitCode, stdout, stderr } = await askGit(rootDir, args, env);
  if (exitCode !== 0) throw refused(rootDir, stderr);
  const names = stdout.split('\0').filter((name) => name !== '' && name !== './');
  // git also lists a folder whose present files are all ignored, followed by these files: such a folder is not ignored
  // itself.
  const isListed = (folder: string, next: string | undefined) => next?.startsWith(folder) === true;
  const ignored = names.filter((name, at) => !name.endsWith('/') || !isListed(name, names[at + 1]));
  return new Set(ignored.map((name) => name.replace(/\/$/, '')));
}

/** Returns which of these paths git would ignore if they existed; folders end in `/`, and are returned without it. */
export async function askIgnored(rootDir: string, paths: string[], env: NodeJS.ProcessEnv): Promise<Set<string>> {
  if (paths.length === 0 || !(await isRuled(rootDir, env))) return new Set();
  const isBehindLink = linkFinder(rootDir);
  // git refuses the whole question for one path behind a link, which it could not ignore anyway.
  const isAskable = (path: string) => !isBehindLink(path.endsWith('/') ? path.slice(0, -1) : dirname(path));
  const asked = paths.filter(isAskable).map((path) => `./${path}\0`);
  if (asked.length === 0) return new Set();
  const args = ['check-ignore', '-z', '--stdin', '--no-index'];
  const { exitCode, stdout, stderr } = await askGit(rootDir, args, env, { input: asked.join('') });
  // Exit code 1 means none of them.
  if (exitCode > 1) throw refused(rootDir, stderr);
  return new Set(stdout.split('\0').map((path) => path.replace(/^\.\//, '').replace(/\/$/, '')));
}

/**
 * Whether git's rules apply. A workspace that the repository around it ignores as a whole does not belong to that
 * repository: its rules tell nothing about the content.
 */
async function isRuled(rootDir: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const repository = findRepository(rootDir);
  if (repository === undefined) return false;
  if (repository.topDir === resolve(rootDir)) return true;
  return (await askGit(rootDir, ['check-ignore', '--quiet', '.'], env)).exitCode !== 0;
}

function linkFinder(rootDir: string): (folder: string) => boolean {
  const known = new Map<string, boolean>([['.', false]]);
  const find = (folder: string): boolean => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const isLink = () => lstatSync(join(rootDir, folder), { throwIfNoEntry: false })?.isSymbolicLink() === true;
    const found = find(dirname(folder)) || isLink();
    known.set(folder, found);
    return found;
  };
  return find;
}

function refused(rootDir: string, stderr: string): GbuildError {
  const said = stderr.trim().split('\n')[0];
  return new GbuildError('workspace-unreadable', `git does not say what it ignores in ${rootDir}: ${said}`, {
    suggestions: ['git status'],
    facts: { rootDir },
  });
}
