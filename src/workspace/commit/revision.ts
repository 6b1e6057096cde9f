import { resolve } from 'node:path';
import { askGit, gitRefused } from '../git/git.ts';
import { findRepository } from '../git/git-repository.ts';
import { hasTrackedChange, listChanges } from './changes.ts';

/** Commit of a workspace, with its differences from that commit. */
export interface Revision {
  /** Id with 40 or 64 hex digits. */
  commit: string;
  /** Committer's time in UTC, without fractions: 2024-05-06T07:08:09Z. */
  commitTime: string;
  /** Output of `git describe --tags --always --dirty`. */
  describe: string;
  /** Undefined on a detached HEAD. */
  branch?: string;
  /** Origin as a web address where it has one, without user name, password, query or fragment. */
  sourceUrl?: string;
  /** Changed and untracked paths relative to the root, sorted. */
  dirty: string[];
  /** Dirty paths that git does not track. */
  untracked: string[];
  /** Whether the history is cut off, so that `describe` may miss a tag. */
  shallow: boolean;
}

/**
 * Reads the revision. Undefined outside of a repository and before the first commit. `env` is the caller's; its GIT_*
 * variables are not passed on. Untracked files that match `isLeftover` were written by tools, and are no change.
 */
export async function readRevision(
  rootDir: string,
  env: NodeJS.ProcessEnv = {},
  isLeftover: (path: string) => boolean = () => false,
): Promise<Revision | undefined> {
  const ask = (...args: string[]) => askGit(rootDir, args, env);
  const commit = await readCommit(rootDir, env);
  if (commit === undefined) return undefined;
  const isTop = findRepository(rootDir)?.topDir === resolve(rootDir);
  const [described, branch, origin, changes, isChangedAbove, shallow] = await Promise.all([
    ask('describe', '--tags', '--always'),
    ask('symbolic-ref', '--quiet', '--short', 'HEAD'),
    ask('config', '--get', 'remote.origin.url'),
    listChanges(rootDir, env),
    !isTop && hasTrackedChange(rootDir, env),
    ask('rev-parse', '--is-shallow-repository'),
  ]);
  const dirty = changes.filter(({ path, isUntracked }) => !isUntracked || !isLeftover(path));
  const isDirty = isChangedAbove || changes.some(({ isUntracked }) => !isUntracked);
  const describe = described.exitCode === 0 ? described.stdout.trim() : commit.id.slice(0, 7);
  const sourceUrl = cleanSourceUrl(origin.stdout.trim());
  return {
    commit: commit.id,
    commitTime: new Date(commit.seconds * 1000).toISOString().replace('.000Z', 'Z'),
    describe: isDirty ? `${describe}-dirty` : describe,
    ...(branch.exitCode === 0 ? { branch: branch.stdout.trim() } : {}),
    ...(sourceUrl === undefined ? {} : { sourceUrl }),
    dirty: dirty.map(({ path }) => path),
    untracked: dirty.filter(({ isUntracked }) => isUntracked).map(({ path }) => path),
    shallow: shallow.stdout.trim() === 'true',
  };
}

/** Reads id and committer's time (seconds since 1970) of HEAD. */
export async function readCommit(
  rootDir: string,
  env: NodeJS.ProcessEnv,
): Promise<{ id: string; seconds: number } | undefined> {
  if (findRepository(rootDir) === undefined) return undefined;
  // rev-list ignores the mailmap, which `git log` reads from wherever the config says.
  const head = await askGit(rootDir, ['rev-list', '--max-count=1', '--format=%ct', 'HEAD', '--'], env);
  const [, id, seconds] = /^commit ([0-9a-f]+)\n(\d+)/.exec(head.stdout) ?? [];
  if (head.exitCode === 0 && id !== undefined) return { id, seconds: Number(seconds) };
  const named = await askGit(rootDir, ['rev-parse', '--verify', '--quiet', 'HEAD'], env);
  // Exit code 1 means a branch without a commit.
  if (named.exitCode === 1 && named.stderr === '') return undefined;
  throw gitRefused(rootDir, head.stderr);
}

/**
 * Cleans the origin of user names, passwords and tokens, queries and fragments, which are private. An ssh address
 * becomes the https one of the same host; a local path is no source.
 */
export function cleanSourceUrl(origin: string): string | undefined {
  const scp = /^(?:[^@/]+@)?([^:/@]+):(?!\/\/)(.+)$/.exec(origin);
  if (scp !== null && !/^[a-z]$/i.test(scp[1]!)) return formatUrl(scp[1]!, scp[2]!);
  const url = URL.parse(origin);
  if (url === null || url.hostname === '') return undefined;
  if (url.protocol === 'http:') return `http://${url.host}${url.pathname}`;
  if (url.protocol === 'https:') return formatUrl(url.host, url.pathname);
  return ['ssh:', 'git:', 'git+ssh:', 'ssh+git:'].includes(url.protocol)
    ? formatUrl(url.hostname, url.pathname)
    : undefined;
}

function formatUrl(host: string, path: string): string {
  return `https://${host}/${path.replace(/^\/+/, '').replace(/[?#].*$/, '')}`;
}
