import { lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { makeOwnFolder, sweepOwnFolders } from '../../fs/own-folder.ts';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import { makeSafeConfig } from './git-config.ts';
import type { GitRepository } from './git-repository.ts';
import { parseGitConfig } from './parse-git-config.ts';

/** Prefix of the name of every view; its owner follows. */
export const viewPrefix = 'gbuild-git-';

/** Names that a view makes itself, and those that would lead git out of it. */
const own = new Set(['HEAD', 'config', 'config.worktree', 'hooks', 'commondir', 'gitdir']);

/**
 * Git folder for reading a repository without running anything that the repository names. It links to the repository's
 * objects, refs and index. Its config holds only what is known to be harmless: no filter, hook, helper, pager, alias or
 * include.
 */
export class GitView {
  readonly gitDir: string;
  /** Arguments of git that name the repository's own pattern files. */
  readonly args: string[];

  private constructor(gitDir: string, args: string[]) {
    this.gitDir = gitDir;
    this.args = args;
  }

  /** Opens a view; `homeDir` is the meaning of `~` in a config. */
  static open(repository: GitRepository, homeDir: string | undefined): GitView {
    const gitDir = makeOwnFolder(tmpdir(), viewPrefix);
    const view = new GitView(gitDir, []);
    try {
      const text = readConfigs(repository);
      writeFileSync(join(gitDir, 'config'), makeHarmless(text), 'latin1');
      writeFileSync(join(gitDir, 'HEAD'), readWhole(join(repository.gitDir, 'HEAD'), largestSettings));
      for (const dir of new Set([repository.gitDir, repository.commonDir])) linkAll(dir, gitDir);
      view.args.push(...listPatternFiles(text, repository, homeDir));
      return view;
    } catch (error) {
      view[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.gitDir, { recursive: true, force: true });
  }
}

/** Removes views that killed processes left. Returns their folders. */
export function sweepGitViews(): string[] {
  return sweepOwnFolders(tmpdir(), viewPrefix);
}

/** Reads the shared config and, where that one enables it, the working tree's own, in latin1. */
function readConfigs({ gitDir, commonDir }: GitRepository): string {
  const shared = readConfig(join(commonDir, 'config'));
  const hasOwn = parseGitConfig(shared).variables.some(
    ({ section, key, value = 'true' }) => section === 'extensions' && key === 'worktreeconfig' && isTrue(value),
  );
  return hasOwn ? `${shared}\n${readConfig(join(gitDir, 'config.worktree'))}` : shared;
}

function readConfig(file: string): string {
  if (!isThere(file)) return '';
  const text = readWhole(file, largestSettings).toString('latin1');
  if (parseGitConfig(text).isWhole) return text;
  throw new GbuildError('workspace-unreadable', `${file} is damaged: git cannot read it either`, {
    suggestions: [`git config --list --file '${file}'`],
    facts: { file },
  });
}

function isTrue(value: string): boolean {
  return /^(true|yes|on|[1-9]\d*)$/i.test(value);
}

/**
 * Formats the repository's config (latin1) without programs, credentials, other files and the path of the working tree.
 */
export function formatSafeConfig(repository: GitRepository): string {
  return makeHarmless(readConfigs(repository));
}

function makeHarmless(config: string): string {
  return makeSafeConfig(config).text.replaceAll(/^\t(worktree|bare) = .*\n/gm, '');
}

/** Links files and folders only: a pipe would block git for ever. */
function linkAll(dir: string, gitDir: string): void {
  for (const name of readdirSync(dir)) {
    const [from, to] = [resolve(dir, name), join(gitDir, name)];
    if (own.has(name) || isThere(to)) continue;
    const stats = statSync(from, { throwIfNoEntry: false });
    if (name === 'info' && stats?.isDirectory()) {
      mkdirSync(to);
      linkAll(from, to);
    } else if (stats?.isFile() || stats?.isDirectory()) symlinkSync(from, to);
  }
}

/** Lists the config's files of ignored names and of attributes. They name no program. */
function listPatternFiles(config: string, { topDir }: GitRepository, homeDir: string | undefined): string[] {
  const found = new Map<string, string>();
  for (const { section, subsection, key, value } of parseGitConfig(config).variables)
    if (section === 'core' && subsection === undefined && (key === 'excludesfile' || key === 'attributesfile'))
      found.set(key, Buffer.from(value ?? '', 'latin1').toString());
  return [...found].flatMap(([key, value]) => {
    const path = value.startsWith('~/') && homeDir !== undefined ? join(homeDir, value.slice(2)) : value;
    const file = resolve(topDir, path);
    const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    return isFile ? ['-c', `core.${key}=${file}`] : [];
  });
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
