import { lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { makeOwnFolder } from '../../fs/own-folder.ts';
import { copyGit, forgetWorktrees } from './copy-git.ts';
import type { GitRepository } from './git-repository.ts';
import { viewPrefix } from './git-view.ts';
import { copyAbove, hideOutside, type ProjectPlace } from './project-place.ts';

/**
 * Top of a repository for a machine that has only the project's folder: a copy of the git folder. For a project below
 * the top it also holds what git needs to judge the project. Folders of objects are links to the real ones, because
 * they may be large.
 */
export class GitTop {
  readonly dir: string;
  /** Paths of links to folders of objects, relative to `dir`. */
  readonly links: ReadonlySet<string>;

  private constructor(dir: string, links: ReadonlySet<string>) {
    this.dir = dir;
    this.links = links;
  }

  /** Makes the top; `place` is set for a project below it. */
  static async open(
    repository: GitRepository,
    place: ProjectPlace | undefined,
    env: NodeJS.ProcessEnv,
  ): Promise<GitTop> {
    const dir = makeOwnFolder(tmpdir(), viewPrefix);
    const links = new Set<string>();
    const top = new GitTop(dir, links);
    try {
      const gitCopy = join(dir, '.git');
      if (place !== undefined) copyAbove(place, dir);
      copyGit(repository, gitCopy, (fromDir, toDir) => {
        const [from, to] = [join(fromDir, 'objects'), join(toDir, 'objects')];
        // A link in their place could lead to any folder of this machine.
        if (lstatSync(from, { throwIfNoEntry: false })?.isDirectory() !== true) return void mkdirSync(to);
        symlinkSync(from, to);
        links.add(relative(dir, to));
      });
      forgetWorktrees(gitCopy);
      if (place !== undefined) await hideOutside(place, dir, join(gitCopy, 'index'), env);
      return top;
    } catch (error) {
      top[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
