import { join, relative } from 'node:path';
import { askGit, gitRefused } from '../git/git.ts';
import { findRepository } from '../git/git-repository.ts';
import { findSubmodule } from '../git/submodule.ts';
import { findUntouched } from './untouched.ts';

/** Path that differs from HEAD, relative to the given folder. */
export interface Change {
  path: string;
  /** Whether it is a submodule with a tree that is not clean. */
  isSubmodule: boolean;
  isUntracked: boolean;
}

const status = ['status', '--porcelain=v1', '-z', '--no-renames', '--ignore-submodules=dirty'];

/**
 * Lists changed and untracked paths below a folder of a repository, sorted. gbuild reads submodules itself: git would
 * follow their own configs, and run the commands in them.
 */
export async function listChanges(dir: string, env: NodeJS.ProcessEnv): Promise<Change[]> {
  const [own, submodules] = await Promise.all([
    readStatus(dir, ['--untracked-files=all', '--', '.'], env),
    listSubmodules(dir, env),
  ]);
  const prefix = readPrefix(dir);
  const named = own.map(({ path, isUntracked }) => ({ path: path.slice(prefix.length), isUntracked }));
  const known = new Set(named.map(({ path }) => path));
  const dirty = await Promise.all(submodules.map(async (path) => (await isDirty(join(dir, path), env)) && path));
  const inside = dirty.filter((path) => path !== false && !known.has(path)) as string[];
  const changes = [
    ...named.map((change) => ({ ...change, isSubmodule: false })),
    ...inside.map((path) => ({ path, isSubmodule: true, isUntracked: false })),
  ];
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether a tracked path of the whole repository, also above the folder, differs from HEAD. */
export async function hasTrackedChange(dir: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return (await readStatus(dir, ['--untracked-files=no'], env)).length > 0;
}

/** Reads the status; paths are relative to the top of the repository. */
async function readStatus(
  dir: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ path: string; isUntracked: boolean }[]> {
  const { exitCode, stdout, stderr } = await askGit(dir, [...status, ...args], env);
  if (exitCode !== 0) throw gitRefused(dir, stderr);
  // Format: XY PATH, with X for the index and Y for the working tree.
  const lines = splitNul(stdout).map((line) => ({ state: line.slice(0, 2), path: line.slice(3) }));
  const changed = lines.filter(({ state }) => state === ' M').map(({ path }) => path);
  const repository = findRepository(dir);
  const untouched = repository === undefined ? undefined : await findUntouched(repository, changed, env);
  return lines
    .filter(({ path }) => !untouched?.has(path))
    .map(({ state, path }) => ({ path, isUntracked: state === '??' }));
}

/** Lists paths of checked-out submodules, relative to the folder. */
export async function listSubmodules(dir: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const { exitCode, stdout, stderr } = await askGit(dir, ['ls-files', '--stage', '-z'], env);
  if (exitCode !== 0) throw gitRefused(dir, stderr);
  // Format: MODE OBJECT STAGE<tab>PATH.
  const links = splitNul(stdout).filter((line) => line.startsWith('160000 '));
  const parent = findRepository(dir);
  if (links.length === 0 || parent === undefined) return [];
  const paths = links.map((line) => line.slice(line.indexOf('\t') + 1));
  return paths.filter((path) => findSubmodule(parent, join(dir, path)) !== undefined);
}

async function isDirty(dir: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return (await listChanges(dir, env)).length > 0;
}

/** Returns the folder's prefix: git's paths begin at the top of the working tree. */
function readPrefix(dir: string): string {
  const top = findRepository(dir)?.topDir ?? dir;
  const path = relative(top, dir);
  return path === '' ? '' : `${path}/`;
}

function splitNul(text: string): string[] {
  return text.split('\0').filter((part) => part !== '');
}
