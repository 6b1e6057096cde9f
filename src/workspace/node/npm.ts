import { readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { isThere, readWhole } from '../../fs/read-bounded.ts';

/** Size limit in bytes: some twenty times the locks of the largest repositories. */
const largestLock = 256 << 20;

/** Fields of an entry in npm's lock that matter here (docs.npmjs.com, package-lock.json, "packages"). */
interface LockedPackage {
  /** Whether it is for development only; `devOptional` is also installed without development, so it is kept. */
  dev?: boolean;
}

type Packages = Map<string, LockedPackage>;

/** Whether a path (relative to the root) belongs to production; for `keep` of `walkFiles`. */
export type KeepPath = (path: string, isFolder?: boolean) => boolean;

/**
 * Finds production's part of node_modules by npm's own lock (v2 and v3), also in workspaces: everything that is not for
 * development only, with its commands in .bin. Paths outside of node_modules are kept, and those that the lock does not
 * know, such as code that a script generated there. Undefined without such a lock; `workspace-unreadable` for an
 * unreadable one.
 */
export function readProductionPaths(rootDir: string): KeepPath | undefined {
  const packages =
    readPackages(join(rootDir, 'package-lock.json')) ?? readPackages(join(rootDir, 'node_modules/.package-lock.json'));
  if (packages === undefined) return undefined;
  const scopes = listScopes(packages);
  const keeps = (path: string): boolean => {
    const owner = findOwner(packages, path);
    const rest = owner === '' ? path : path.slice(owner.length + 1);
    const isInstalled = owner.includes('node_modules/');
    if (isInstalled && packages.get(owner)?.dev === true) return false;
    if (rest.startsWith('node_modules/.bin/')) return keepsCommand(rootDir, path, keeps);
    if (isInstalled) return true;
    return /^node_modules\/@[^/]+$/.test(rest) ? scopes.kept.has(path) || !scopes.known.has(path) : !isNotes(rest);
  };
  return keeps;
}

/** Whether a path is npm's record of an installation, in node_modules itself. */
function isNotes(rest: string): boolean {
  return rest === 'node_modules/.package-lock.json';
}

/** Finds the deepest package of the lock that holds the path; '' is the root project. */
function findOwner(packages: Packages, path: string): string {
  let owner = path;
  while (owner !== '' && !packages.has(owner)) owner = owner.slice(0, Math.max(owner.lastIndexOf('/'), 0));
  return owner;
}

/**
 * Whether a command is kept: with the package that its link points to. A command that is no link has an unknown
 * package, and is kept.
 */
function keepsCommand(rootDir: string, path: string, keeps: KeepPath): boolean {
  try {
    return keeps(posix.join(posix.dirname(path), readlinkSync(join(rootDir, path))));
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EINVAL';
  }
}

/** Lists the `@scope` folders of the lock, and those among them with a package for production. */
function listScopes(packages: Packages): { known: Set<string>; kept: Set<string> } {
  const scoped = [...packages].filter(([path]) => /(?:^|\/)@[^/]+\/[^/]+$/.test(path));
  const scopesOf = (found: typeof scoped) => new Set(found.map(([path]) => posix.dirname(path)));
  return { known: scopesOf(scoped), kept: scopesOf(scoped.filter(([, { dev }]) => dev !== true)) };
}

function readPackages(file: string): Packages | undefined {
  if (!isThere(file)) return undefined;
  try {
    const lock = JSON.parse(readWhole(file, largestLock).toString()) as {
      packages?: Record<string, LockedPackage>;
    } | null;
    return typeof lock?.packages === 'object' ? new Map(Object.entries(lock.packages)) : undefined;
  } catch (cause) {
    throw new GbuildError('workspace-unreadable', `${JSON.stringify(file)} cannot be read: ${messageOf(cause)}`, {
      cause,
      suggestions: ['npm install'],
      facts: { file },
    });
  }
}
