import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { listSubmodules } from './commit/changes.ts';
import { readDockerignore } from './dockerignore.ts';
import { findRepository } from './git/git-repository.ts';
import { readIgnored } from './git/ignored.ts';
import { listNodeMembers } from './node/node-members.ts';
import { findProductionModules } from './node/node-modules.ts';
import { type KeepPath, readProductionPaths } from './node/npm.ts';

/** Parts of a checkout: tests by path. */
export interface CheckoutParts {
  /**
   * Whether a path is in a node_modules of the root or of one of the project's own packages; the other tests are false
   * for it.
   */
  isModule: KeepPath;
  /** Whether production needs the dependency; true for the folders above, too. */
  isDependency: KeepPath;
  /** Whether git ignores it, submodules by their own rules. */
  isIgnored: KeepPath;
  /**
   * Whether it is none of these: files that git tracks, submodules included, and new files; without those that
   * .dockerignore names.
   */
  isSource: KeepPath;
}

/** Classifies the paths of a checkout by git, the package manager's files and .dockerignore. */
export async function readCheckoutParts(rootDir: string, env: NodeJS.ProcessEnv): Promise<CheckoutParts> {
  const ignored = await readIgnoredBelow(rootDir, env);
  const isIgnored = withAncestors((path) => ignored.has(path));
  const members = listNodeMembers(rootDir, (folder) => !isIgnored(folder));
  const folders = members.map((member) => posix.join(member, 'node_modules'));
  const isModule = withAncestors((path) => folders.includes(path));
  // npm writes this file, and no other package manager does.
  const isOfNpm = existsSync(join(rootDir, 'node_modules/.package-lock.json'));
  const byLock = isOfNpm ? readProductionPaths(rootDir) : undefined;
  const isProduction = byLock ?? findProductionModules(rootDir, members);
  const isAbove = new Set(folders.flatMap(listAncestors));
  const isExcluded = readDockerignore(rootDir);
  return {
    isModule,
    isDependency: (path) => isAbove.has(path) || (isModule(path) && isProduction(path)),
    isIgnored: (path) => isIgnored(path) && !isModule(path),
    // An excluded folder may hold files that are not excluded.
    isSource: (path, isFolder) => !isIgnored(path) && !isModule(path) && (isFolder === true || !isExcluded(path)),
  };
}

/** Reads the ignored paths, those of submodules by their own rules. */
async function readIgnoredBelow(rootDir: string, env: NodeJS.ProcessEnv): Promise<Set<string>> {
  const ignored = await readIgnored(rootDir, env);
  if (findRepository(rootDir) === undefined) return ignored;
  for (const submodule of await listSubmodules(rootDir, env))
    for (const path of await readIgnoredBelow(join(rootDir, submodule), env)) ignored.add(`${submodule}/${path}`);
  return ignored;
}

/** Extends a test to everything below a matching folder; each folder is tested once. */
function withAncestors(test: KeepPath): KeepPath {
  const known = new Map<string, boolean>([['.', false]]);
  const holds = (path: string): boolean => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const found = holds(posix.dirname(path)) || test(path);
    known.set(path, found);
    return found;
  };
  return (path) => holds(posix.dirname(path)) || test(path);
}

function listAncestors(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}
