import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BindMount } from '../../../engine/container/spec.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { Host } from '../../../host.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import { borrowObjects, copyGit, forgetWorktrees } from '../../../workspace/git/copy-git.ts';
import type { GitRepository } from '../../../workspace/git/git-repository.ts';
import { findOwnRepository } from '../../../workspace/git/own-repository.ts';
import { copyAbove, hideOutside, type ProjectPlace } from '../../../workspace/git/project-place.ts';
import { findGitLinks } from './git-links.ts';
import { isReadOnly, makeRunFolder, removeRunFolder, sweepRunFolders } from './run-folder.ts';

const dotGitInside = `${containerPaths.workspace}/.git`;

/**
 * Protects a repository's git folder from the tasks of a run: they get a copy, which ends with the run. A task may
 * write config, hooks, attributes and refs into it. This machine's git never reads them; it would run them.
 */
export class PrivateGit {
  /** Mounts on top of the workspace's bind. */
  readonly mounts: BindMount[];
  /**
   * Mounts for an engine that sees the workspace but not a git folder outside of it: the tasks' git reads nothing
   * there.
   */
  readonly mountsOfBlind: BindMount[];
  readonly #rootDir: string;
  readonly #findLink: (path: string) => string | undefined;
  #runDir: string | undefined;

  private constructor(rootDir: string, mounts: BindMount[], mountsOfBlind: BindMount[], runDir?: string) {
    this.#rootDir = rootDir;
    this.#findLink = findGitLinks(rootDir);
    this.mounts = mounts;
    this.mountsOfBlind = mountsOfBlind;
    this.#runDir = runDir;
  }

  /** Opens the protection. `place` is set for a project below the top of its repository. */
  static async open(rootDir: string, place: ProjectPlace | undefined, engine: Engine, host: Host): Promise<PrivateGit> {
    const dotGit = join(rootDir, '.git');
    const unread = existsSync(dotGit) ? [asItIs(dotGit)] : [];
    const repository = place?.repository ?? findOwnRepository(rootDir);
    if (repository === undefined) return new PrivateGit(rootDir, unread, unread);
    sweepRunFolders(rootDir, engine.owner, host);
    let runDir: string | undefined;
    try {
      runDir = makeRunFolder(repository, engine);
      const mounts =
        place === undefined ? planMounts(repository, rootDir, runDir) : await planMountsAbove(place, runDir, host);
      return new PrivateGit(rootDir, mounts, unread, runDir);
    } catch (error) {
      if (runDir !== undefined) removeRunFolder(runDir);
      if (!isReadOnly(error)) throw error;
      // The tasks' git can still read the folder.
      return new PrivateGit(rootDir, unread, unread);
    }
  }

  /**
   * Returns the `.git` file of a submodule for the tasks: it names the copy, because the original's path means nothing
   * in the container.
   */
  placeGitFile(path: string): string {
    const gitFile = join(this.#rootDir, path);
    const target = this.#runDir === undefined ? undefined : this.#findLink(path);
    if (target === undefined) return gitFile;
    const placed = join(this.#runDir!, `gitfile-${createHash('sha256').update(path).digest('hex')}`);
    writeFileSync(placed, `gitdir: ${target}\n`);
    return placed;
  }

  /** Keeps the copy: the tasks continue without this process. */
  leave(): void {
    this.#runDir = undefined;
  }

  [Symbol.dispose](): void {
    if (this.#runDir !== undefined) removeRunFolder(this.#runDir);
  }
}

function planMounts(repository: GitRepository, rootDir: string, runDir: string): BindMount[] {
  const gitCopy = join(runDir, 'git');
  copyGit(repository, gitCopy, borrowObjects(containerPaths.gitObjects));
  const objects = bind(repository.commonDir, containerPaths.gitObjects, true);
  if (repository.gitDir === join(rootDir, '.git')) return [bind(gitCopy, dotGitInside), objects];
  forgetWorktrees(gitCopy);
  const gitFile = join(runDir, 'gitfile');
  writeFileSync(gitFile, `gitdir: ${containerPaths.gitDir}\n`);
  return [bind(gitCopy, containerPaths.gitDir), bind(gitFile, dotGitInside, true), objects];
}

/**
 * Plans the repository's top for the tasks: a git folder, and of the rest only the files that git needs to judge the
 * project's folder.
 */
async function planMountsAbove(place: ProjectPlace, runDir: string, host: Host): Promise<BindMount[]> {
  const { repository } = place;
  const topCopy = join(runDir, 'top');
  const gitCopy = join(topCopy, '.git');
  copyAbove(place, topCopy);
  copyGit(repository, gitCopy, borrowObjects(containerPaths.gitObjects));
  forgetWorktrees(gitCopy);
  await hideOutside(place, topCopy, join(gitCopy, 'index'), host.env);
  return [bind(topCopy, containerPaths.repository), bind(repository.commonDir, containerPaths.gitObjects, true)];
}

function asItIs(dotGit: string): BindMount {
  return bind(dotGit, dotGitInside, true);
}

function bind(hostDir: string, containerDir: string, readOnly = false): BindMount {
  return { type: 'bind', hostDir, containerDir, readOnly };
}
