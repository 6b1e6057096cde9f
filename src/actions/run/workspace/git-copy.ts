import type { ContainerMount } from '../../../engine/container/spec.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import type { Sent } from '../../../sync/push/push.ts';
import { type CopyInput, WorkspaceCopy } from '../../../sync/workspace-copy.ts';
import type { GitRepository } from '../../../workspace/git/git-repository.ts';
import { GitTop } from '../../../workspace/git/git-top.ts';
import { findOwnRepository } from '../../../workspace/git/own-repository.ts';
import type { ProjectPlace } from '../../../workspace/git/project-place.ts';

/**
 * Copy of a git folder outside of the workspace, in a volume for one run, for an engine that cannot see it. No change
 * in it comes back.
 */
export class GitCopy {
  readonly mount: ContainerMount;
  readonly sent: Sent;
  readonly #top: GitTop;
  readonly #copy: WorkspaceCopy;

  private constructor(top: GitTop, copy: WorkspaceCopy, containerDir: string, sent: Sent) {
    this.#top = top;
    this.#copy = copy;
    this.mount = { type: 'volume', name: copy.volume, containerDir };
    this.sent = sent;
  }

  /**
   * Opens the copy; undefined where the workspace holds its git folder, or has none. `place` is set for a project below
   * the top.
   */
  static async open(input: CopyInput, place: ProjectPlace | undefined): Promise<GitCopy | undefined> {
    const repository = place?.repository ?? findApart(input.workspaceDir);
    if (repository === undefined) return undefined;
    const top = await GitTop.open(repository, place, input.host.env);
    try {
      let sent: Sent = { files: 0, bytes: 0, removed: 0 };
      const onBegin = (all: Sent) => {
        sent = all;
      };
      const own = { links: top.links };
      const copy = await WorkspaceCopy.open({ ...input, rootDir: top.dir, part: 'git', include: [], own, onBegin });
      return new GitCopy(top, copy, place === undefined ? containerPaths.gitTop : containerPaths.repository, sent);
    } catch (thrown) {
      top[Symbol.dispose]();
      throw thrown;
    }
  }

  /** Settles when the copy is complete. */
  get ready(): Promise<unknown> {
    return this.#copy.ready;
  }

  /** Records the copied files, so that the next run sends only the differences. After a failure it sends more. */
  settle(signal: AbortSignal): Promise<void> {
    return this.#copy.settle(signal).catch(() => {});
  }

  /** Records the sent files: the tasks continue without this process. */
  leave(): Promise<void> {
    return this.#copy.remember();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#copy.close().catch(() => {
      // The labels let a later sweep remove the volume.
    });
    this.#top[Symbol.dispose]();
  }
}

/** Finds the repository with this folder as its top and a git folder in another place. */
function findApart(rootDir: string): GitRepository | undefined {
  const repository = findOwnRepository(rootDir);
  return repository?.gitDir === `${rootDir}/.git` ? undefined : repository;
}
