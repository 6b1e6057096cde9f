import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { BindMount } from '../engine/container-spec.ts';
import type { Engine } from '../engine/engine.ts';
import { type Owner, ownerIsDead, ownerText, parseOwner } from '../engine/owner.ts';
import { largestSettings, readWhole } from '../fs/read-bounded.ts';
import type { Host } from '../host.ts';
import { containerPaths } from '../plan/paths.ts';
import { copyGit } from '../workspace/copy-git.ts';
import { findRepository, type GitRepository } from '../workspace/git-repository.ts';
import { parseGitConfig } from '../workspace/parse-git-config.ts';
import { openKeeper } from './detached-tasks.ts';

/** Below the git folder itself, which every engine sees that sees the workspace. */
const copiesFolder = 'gbuild';

const dotGitInside = `${containerPaths.workspace}/.git`;

/**
 * Keeps a repository's git folder from the tasks of a run: they get a copy, which ends with the run. Whatever a task writes there
 * (config, hooks, attributes, refs) is never read by a git of this machine, which would run it.
 */
export class PrivateGit {
  /** Over the workspace's bind. */
  readonly mounts: BindMount[];
  #copyDir: string | undefined;

  private constructor(mounts: BindMount[], copyDir?: string) {
    this.mounts = mounts;
    this.#copyDir = copyDir;
  }

  static open(rootDir: string, engine: Engine, host: Host): PrivateGit {
    const dotGit = join(rootDir, '.git');
    if (!existsSync(dotGit)) return new PrivateGit([]);
    const repository = findRepository(rootDir);
    if (repository === undefined || !isOwn(repository, rootDir)) return new PrivateGit([asItIs(dotGit)]);
    sweepGitCopies(rootDir, engine.owner, host);
    const copyDir = join(repository.gitDir, copiesFolder, `${ownerText(engine.owner)}.${engine.runId}`);
    try {
      mkdirSync(copyDir, { recursive: true, mode: 0o700 });
      return new PrivateGit(planMounts(repository, rootDir, copyDir), copyDir);
    } catch (error) {
      removeCopy(copyDir);
      if (!isReadOnly(error)) throw error;
      // The tasks' git can still read it.
      return new PrivateGit([asItIs(dotGit)]);
    }
  }

  /** For an engine that sees the workspace and not the git folder elsewhere: the tasks' git has nothing to read there. */
  get mountsOfBlind(): BindMount[] {
    return this.mounts.filter(({ containerDir }) => containerDir === dotGitInside);
  }

  /** The tasks go on without this process. */
  leave(): void {
    this.#copyDir = undefined;
  }

  [Symbol.dispose](): void {
    if (this.#copyDir !== undefined) removeCopy(this.#copyDir);
  }
}

/** Removes the copy of a run that its process has left. */
export function removeLeftGit(rootDir: string, runId: string): void {
  const repository = findRepository(rootDir);
  for (const copyDir of repository === undefined ? [] : listCopies(repository))
    if (copyDir.endsWith(`.${runId}`)) removeCopy(copyDir);
}

/** Removes what killed runs left, but for tasks that go on; answers the folders. */
export function sweepGitCopies(rootDir: string, self: Owner, host: Host): string[] {
  const repository = findRepository(rootDir);
  if (repository === undefined) return [];
  const going = openKeeper(host).runs();
  const left = listCopies(repository).filter((copyDir) => {
    const [owner = '', runId = ''] = basename(copyDir).split('.');
    const parsed = parseOwner(owner);
    return parsed !== undefined && ownerIsDead(parsed, self) && !going.has(runId);
  });
  for (const copyDir of left) removeCopy(copyDir);
  return left;
}

function listCopies({ gitDir }: GitRepository): string[] {
  const parent = join(gitDir, copiesFolder);
  return existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name)) : [];
}

/** The last one takes the folder with it. */
function removeCopy(copyDir: string): void {
  rmSync(copyDir, { recursive: true, force: true });
  const parent = dirname(copyDir);
  if (existsSync(parent) && readdirSync(parent).length === 0) rmSync(parent, { recursive: true, force: true });
}

/**
 * Whether the git folder is this workspace's and no other's: a `.git` file may name any repository of the caller's, whose objects
 * are nobody's business here. A linked working tree and a submodule are named back.
 */
function isOwn({ topDir, gitDir, commonDir }: GitRepository, rootDir: string): boolean {
  if (topDir !== resolve(rootDir)) return false;
  const dotGit = join(topDir, '.git');
  if (gitDir === dotGit) return commonDir === gitDir && lstatSync(join(gitDir, 'objects')).isDirectory();
  const back = join(gitDir, 'gitdir');
  if (existsSync(back)) return resolve(gitDir, readWhole(back).toString().trim()) === dotGit;
  const { variables } = parseGitConfig(readWhole(join(commonDir, 'config'), largestSettings).toString('latin1'));
  const worktree = variables.find(({ section, key }) => section === 'core' && key === 'worktree')?.value;
  return worktree !== undefined && resolve(gitDir, Buffer.from(worktree, 'latin1').toString()) === topDir;
}

function planMounts(repository: GitRepository, rootDir: string, copyDir: string): BindMount[] {
  const gitCopy = join(copyDir, 'git');
  copyGit(repository, gitCopy, containerPaths.gitObjects);
  const objects = bind(repository.commonDir, containerPaths.gitObjects, true);
  if (repository.gitDir === join(rootDir, '.git')) return [bind(gitCopy, dotGitInside), objects];
  const config = join(gitCopy, 'config');
  writeFileSync(
    config,
    readWhole(config, largestSettings)
      .toString('latin1')
      .replaceAll(/^[ \t]*worktree[ \t]*=.*\n/gim, ''),
    'latin1',
  );
  const gitFile = join(copyDir, 'gitfile');
  writeFileSync(gitFile, `gitdir: ${containerPaths.gitDir}\n`);
  return [bind(gitCopy, containerPaths.gitDir), bind(gitFile, dotGitInside, true), objects];
}

function asItIs(dotGit: string): BindMount {
  return bind(dotGit, dotGitInside, true);
}

function bind(hostDir: string, containerDir: string, readOnly = false): BindMount {
  return { type: 'bind', hostDir, containerDir, readOnly };
}

function isReadOnly(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}
