import { join, relative } from 'node:path';
import { isDetached } from '../../engine/container/resume.ts';
import type { Engine } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';
import { ownerText } from '../../fs/process-owner.ts';
import { withTempDir } from '../../fs/temp-dir.ts';
import type { Host } from '../../host.ts';
import { silentProgress } from '../../reporter/progress.ts';
import { workspaceLabels } from '../../sync/workspace-copy.ts';
import { checkOutCommit } from '../../workspace/commit/check-out.ts';
import { findDifference, findTrackedDifference } from '../../workspace/commit/compare-commit.ts';
import { findRepository, type GitRepository } from '../../workspace/git/git-repository.ts';
import type { PrepareImageRequest } from '../image/prepare-image-request.ts';
import { isReadOnly, makeRunFolder, removeRunFolder } from '../run/workspace/run-folder.ts';
import type { AppContext, WorkspaceSession } from '../session/context.ts';
import { openWorkspace } from '../session/open-repository.ts';

/**
 * Lends the tree that a release is made from: the workspace where it provably equals its commit, else a clean checkout.
 * Existing outputs (`--no-build`) are packed from the workspace, whose tracked files must equal the commit's.
 */
export async function withReleaseTree<T>(
  request: Pick<PrepareImageRequest, 'session' | 'host' | 'installDir' | 'engine' | 'progress' | 'build'>,
  commit: string,
  work: (session: WorkspaceSession) => Promise<T>,
): Promise<T> {
  const { session, host, progress, build } = request;
  const find = build ? findDifference : findTrackedDifference;
  const difference = await find(session.rootDir, commit, host.env);
  if (difference === undefined) return work(session);
  if (!build) throw notTheCommit(session.rootDir, difference);
  progress.note(
    `building the release in a clean checkout of ${commit.slice(0, 12)}, because in this folder ${difference}`,
  );
  return withCheckout(request, session.rootDir, commit, work);
}

/** Lends a checkout of a commit, and removes it afterwards with everything made in it. */
export async function withCheckout<T>(
  context: AppContext & { engine: Engine },
  rootDir: string,
  commit: string,
  work: (session: WorkspaceSession) => Promise<T>,
): Promise<T> {
  const { host, installDir, engine } = context;
  const repository = findRepository(rootDir);
  return withFolder(host, engine, repository, async (folder) => {
    const checkoutDir = join(folder, 'checkout');
    await checkOutCommit(rootDir, commit, checkoutDir, host.env);
    const cwd = join(checkoutDir, relative(repository?.topDir ?? rootDir, rootDir));
    const session = await openWorkspace({ host: { ...host, cwd }, installDir, progress: silentProgress });
    try {
      return await work(session);
    } finally {
      await removeVolumes(engine, session.rootDir);
    }
  });
}

/**
 * Lends a folder on the repository's disk: the checkout shares the repository's objects, and the engine sees both
 * alike.
 */
async function withFolder<T>(
  host: Host,
  engine: Engine,
  repository: GitRepository | undefined,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = repository === undefined ? undefined : tryMakeFolder(repository, engine);
  if (folder === undefined) return withTempDir(host, `${ownerText(engine.owner)}.checkout`, work);
  try {
    const done = await work(folder);
    removeRunFolder(folder);
    return done;
  } catch (thrown) {
    // A task that continues without this process needs the folder.
    if (!isDetached(thrown)) removeRunFolder(folder);
    throw thrown;
  }
}

function tryMakeFolder(repository: GitRepository, engine: Engine): string | undefined {
  try {
    return makeRunFolder(repository, engine);
  } catch (error) {
    if (!isReadOnly(error)) throw error;
    return undefined;
  }
}

/**
 * Removes the checkout's volumes: an engine that cannot see the folder copied it to a volume, which no later run could
 * use.
 */
async function removeVolumes(engine: Engine, rootDir: string): Promise<void> {
  const volumes = await engine.volumes.list(`${workspaceLabels.folder}=${rootDir}`).catch(() => []);
  // `gbuild clean` removes a volume that stays, because its folder is gone.
  await Promise.allSettled(volumes.map(({ name }) => engine.volumes.remove(name)));
}

function notTheCommit(rootDir: string, difference: string): GbuildError {
  return new GbuildError('workspace-dirty', `${rootDir} is not its commit, though git calls it clean: ${difference}`, {
    suggestions: ['leave out --no-build, so that the release is built in a clean checkout of the commit'],
    facts: { rootDir, difference },
  });
}
