import { join, posix } from 'node:path';
import type { BindMount } from '../../../engine/container/spec.ts';
import { GbuildError } from '../../../errors.ts';
import { isThere } from '../../../fs/read-bounded.ts';
import type { Host } from '../../../host.ts';
import { listSubmodules } from '../../../workspace/commit/changes.ts';
import { findRepository } from '../../../workspace/git/git-repository.ts';

/**
 * Protects `.git` of each submodule, which the caller's git follows, from the tasks. It is mounted read-only. Its
 * folder and the folders above are mounted over themselves: a task could move an unmounted folder away and make
 * another. `containerDirs` are the root's mount points. `placeGitFile` returns the file to mount in place of one, by
 * its path in the workspace.
 */
export async function planSubmoduleMounts(
  rootDir: string,
  containerDirs: string[],
  { env }: Host,
  placeGitFile: (path: string) => string,
): Promise<BindMount[]> {
  const submodules = await listAll(rootDir, env);
  const folders = new Set(submodules.flatMap(listWithAncestors));
  const planned = [
    ...[...folders].sort().map((path) => ({ path, hostDir: join(rootDir, path), readOnly: false })),
    ...submodules.map((each) => {
      const path = `${each}/.git`;
      return { path, hostDir: placeGitFile(path), readOnly: true };
    }),
  ];
  return containerDirs.flatMap((containerDir) =>
    planned.map(({ path, hostDir, readOnly }) => ({
      type: 'bind' as const,
      hostDir,
      containerDir: posix.join(containerDir, path),
      readOnly,
    })),
  );
}

/**
 * Lists submodules with their own submodules. Empty where git cannot read one of the repositories: the run's revision
 * reports that.
 */
async function listAll(dir: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  try {
    if (!mayHaveSubmodules(dir)) return [];
    const found = await listSubmodules(dir, env);
    const below = await Promise.all(
      found.map(async (path) => (await listAll(join(dir, path), env)).map((inner) => `${path}/${inner}`)),
    );
    return [...found, ...below.flat()];
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'workspace-unreadable') return [];
    throw thrown;
  }
}

/** Whether git must be asked: most repositories have no submodules. */
function mayHaveSubmodules(dir: string): boolean {
  const repository = findRepository(dir);
  if (repository === undefined) return false;
  const { topDir, gitDir, commonDir } = repository;
  return [join(topDir, '.gitmodules'), join(gitDir, 'modules'), join(commonDir, 'modules')].some(isThere);
}

function listWithAncestors(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}
