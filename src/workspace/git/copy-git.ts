import { copyFileSync, linkSync, lstatSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { isThere, largestSettings, readWhole } from '../../fs/read-bounded.ts';
import { judgeGitPath } from './git-folder.ts';
import type { GitRepository } from './git-repository.ts';

/** Folders that are copied whole. Objects are shared; logs and other working trees do not belong in a copy. */
const folders = new Set(['refs', 'reftable', 'info', 'hooks']);

/**
 * Files that a linked working tree shares with the others; every other file at the top of a git folder belongs to one
 * tree.
 */
const shared = new Set(['config', 'packed-refs', 'shallow']);

/**
 * Gives the git folder `toDir` the objects of `fromDir`; `path` is their path below the repository's git folder ('',
 * '/modules/a').
 */
export type GiveObjects = (fromDir: string, toDir: string, path: string) => void;

/**
 * Copies a git folder with those of submodules inside. Links, pipes and devices are left out: they could lead to any
 * file of this machine.
 */
export function copyGit({ gitDir, commonDir }: GitRepository, toDir: string, give: GiveObjects): void {
  const isLinked = gitDir !== commonDir;
  copyFolder(commonDir, toDir, '', give, (name) => !isLinked || shared.has(name));
  if (!isLinked) return;
  for (const name of readdirSync(gitDir)) {
    const [from, to] = [join(gitDir, name), join(toDir, name)];
    if (folders.has(name)) copyTree(from, to);
    // Each working tree has its own submodules.
    else if (name === 'modules') copyModules(from, to, `/${relative(commonDir, from)}`, give);
    else if (isKept(name)) copyFile(from, to);
  }
}

/** Gives a copy its own objects, and in addition those of `gitDir`, a git folder as the reader of the copy sees it. */
export function borrowObjects(gitDir: string): GiveObjects {
  return (_, toDir, path) => {
    mkdirSync(join(toDir, 'objects/info'), { recursive: true });
    mkdirSync(join(toDir, 'objects/pack'));
    writeFileSync(join(toDir, 'objects/info/alternates'), `${gitDir}${path}/objects\n`);
  };
}

/**
 * Removes working trees from the configs of a copy and of its submodules: their paths differ where the copy is read.
 */
export function forgetWorktrees(gitCopy: string): void {
  const forgetBelow = (dir: string) => {
    for (const inner of listFolders(dir).map((name) => join(dir, name)))
      if (isThere(join(inner, 'HEAD'))) forgetWorktrees(inner);
      else forgetBelow(inner);
  };
  forgetWorktree(gitCopy);
  if (isThere(join(gitCopy, 'modules'))) forgetBelow(join(gitCopy, 'modules'));
}

function forgetWorktree(gitCopy: string): void {
  const config = join(gitCopy, 'config');
  if (!isThere(config)) return;
  const text = readWhole(config, largestSettings).toString('latin1');
  writeFileSync(config, text.replaceAll(/^[ \t]*(?:worktree|bare)[ \t]*=.*\n/gim, ''), 'latin1');
}

function copyFolder(
  fromDir: string,
  toDir: string,
  path: string,
  give: GiveObjects,
  isWanted: (name: string) => boolean = () => true,
): void {
  mkdirSync(toDir, { recursive: true });
  give(fromDir, toDir, path);
  for (const name of readdirSync(fromDir)) {
    const [from, to] = [join(fromDir, name), join(toDir, name)];
    if (folders.has(name)) copyTree(from, to);
    else if (!isWanted(name)) continue;
    else if (name === 'modules') copyModules(from, to, `${path}/${name}`, give);
    else if (isKept(name)) copyFile(from, to);
  }
}

/** Gives a git folder the objects of another as hard links, or as copies on another disk or for another owner. */
export function linkObjects(fromDir: string, toDir: string): void {
  linkTree(fromDir, toDir);
  const alternates = join(fromDir, 'info/alternates');
  if (lstatSync(alternates, { throwIfNoEntry: false })?.isFile() !== true) return;
  // Lines are relative to the folder of objects.
  const lines = readWhole(alternates, largestSettings).toString().split('\n');
  const absolute = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => resolve(fromDir, line));
  rmSync(join(toDir, 'info/alternates'));
  writeFileSync(join(toDir, 'info/alternates'), absolute.map((line) => `${line}\n`).join(''));
}

function linkTree(fromDir: string, toDir: string): void {
  mkdirSync(toDir, { recursive: true });
  for (const entry of readdirSync(fromDir, { withFileTypes: true })) {
    const [from, to] = [join(fromDir, entry.name), join(toDir, entry.name)];
    if (entry.isDirectory()) linkTree(from, to);
    else if (entry.isFile()) linkOrCopy(from, to);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** Copies submodules' git folders. A name may have slashes, so the content tells which folder is one. */
function copyModules(fromDir: string, toDir: string, path: string, give: GiveObjects): void {
  for (const name of listFolders(fromDir)) {
    const [from, to, inner] = [join(fromDir, name), join(toDir, name), `${path}/${name}`];
    if (lstatSync(join(from, 'HEAD'), { throwIfNoEntry: false })?.isFile()) copyFolder(from, to, inner, give);
    else copyModules(from, to, inner, give);
  }
}

function isKept(name: string): boolean {
  return judgeGitPath(`.git/${name}`, () => false) !== 'stays' && name !== 'commondir' && name !== 'gitdir';
}

function copyTree(from: string, to: string): void {
  if (!lstatSync(from).isDirectory()) return;
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    if (lstatSync(path).isDirectory()) copyTree(path, join(to, name));
    else copyFile(path, join(to, name));
  }
}

/**
 * Copies a file with its time. git decides by the index's time which files it must read: the copy's must not be later.
 */
function copyFile(from: string, to: string): void {
  const stats = lstatSync(from, { throwIfNoEntry: false });
  if (!stats?.isFile()) return;
  copyFileSync(from, to);
  utimesSync(to, stats.atimeMs / 1000, Math.floor(stats.mtimeMs) / 1000);
}

function listFolders(dir: string): string[] {
  if (!lstatSync(dir).isDirectory()) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}
