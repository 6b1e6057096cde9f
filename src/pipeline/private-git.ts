import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { BindMount } from '../engine/container-spec.ts';
import type { Engine } from '../engine/engine.ts';
import { largestSettings, readWhole } from '../fs/read-bounded.ts';
import type { Host } from '../host.ts';
import { containerPaths } from '../plan/paths.ts';
import { copyGit } from '../workspace/copy-git.ts';
import { findRepository, type GitRepository } from '../workspace/git-repository.ts';
import { parseGitConfig } from '../workspace/parse-git-config.ts';
import { isReadOnly, makeRunFolder, removeRunFolder, sweepRunFolders } from './run-folder.ts';

const dotGitInside = `${containerPaths.workspace}/.git`;

/**
 * Keeps a repository's git folder from the tasks of a run: they get a copy, which ends with the run. Whatever a task writes there
 * (config, hooks, attributes, refs) is never read by a git of this machine, which would run it.
 */
export class PrivateGit {
  /** Over the workspace's bind. */
  readonly mounts: BindMount[];
  readonly #dotGit: string;
  #runDir: string | undefined;

  private constructor(dotGit: string, mounts: BindMount[], runDir?: string) {
    this.#dotGit = dotGit;
    this.mounts = mounts;
    this.#runDir = runDir;
  }

  static open(rootDir: string, engine: Engine, host: Host): PrivateGit {
    const dotGit = join(rootDir, '.git');
    if (!existsSync(dotGit)) return new PrivateGit(dotGit, []);
    const repository = findRepository(rootDir);
    if (repository === undefined || !isOwn(repository, rootDir)) return new PrivateGit(dotGit, [asItIs(dotGit)]);
    sweepRunFolders(rootDir, engine.owner, host);
    let runDir: string | undefined;
    try {
      runDir = makeRunFolder(repository, engine);
      return new PrivateGit(dotGit, planMounts(repository, rootDir, runDir), runDir);
    } catch (error) {
      if (runDir !== undefined) removeRunFolder(runDir);
      if (!isReadOnly(error)) throw error;
      // The tasks' git can still read it.
      return new PrivateGit(dotGit, [asItIs(dotGit)]);
    }
  }

  /** For an engine that sees the workspace and not the git folder elsewhere: the tasks' git has nothing to read there. */
  get mountsOfBlind(): BindMount[] {
    return [asItIs(this.#dotGit)];
  }

  /** The tasks go on without this process. */
  leave(): void {
    this.#runDir = undefined;
  }

  [Symbol.dispose](): void {
    if (this.#runDir !== undefined) removeRunFolder(this.#runDir);
  }
}

/**
 * Whether the git folder is this workspace's and no other's: a `.git` file may name any repository of the caller's, whose objects
 * are nobody's business here. A linked working tree and a submodule are named back.
 */
function isOwn({ topDir, gitDir, commonDir }: GitRepository, rootDir: string): boolean {
  if (topDir !== resolve(rootDir)) return false;
  const dotGit = join(topDir, '.git');
  if (gitDir === dotGit) return commonDir === gitDir && lstatSync(join(gitDir, 'objects')).isDirectory();
  if (gitDir !== commonDir)
    return dirname(gitDir) === join(commonDir, 'worktrees') && readLine(join(gitDir, 'gitdir')) === dotGit;
  const { variables } = parseGitConfig(readLine(join(gitDir, 'config')));
  const worktree = variables.find(({ section, key }) => section === 'core' && key === 'worktree')?.value;
  return worktree !== undefined && resolve(gitDir, Buffer.from(worktree, 'latin1').toString()) === topDir;
}

/** Empty where there is no such file. */
function readLine(file: string): string {
  return existsSync(file) ? readWhole(file, largestSettings).toString('latin1').trim() : '';
}

function planMounts(repository: GitRepository, rootDir: string, runDir: string): BindMount[] {
  const gitCopy = join(runDir, 'git');
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
  const gitFile = join(runDir, 'gitfile');
  writeFileSync(gitFile, `gitdir: ${containerPaths.gitDir}\n`);
  return [bind(gitCopy, containerPaths.gitDir), bind(gitFile, dotGitInside, true), objects];
}

function asItIs(dotGit: string): BindMount {
  return bind(dotGit, dotGitInside, true);
}

function bind(hostDir: string, containerDir: string, readOnly = false): BindMount {
  return { type: 'bind', hostDir, containerDir, readOnly };
}
