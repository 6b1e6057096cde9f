import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GbuildError } from '../errors.ts';
import { askGit } from './git.ts';

/** The commit a workspace stands on, and what differs from it. */
export interface Revision {
  /** 40 or 64 hex digits. */
  commit: string;
  /** The committer's time in UTC, without fractions: 2024-05-06T07:08:09Z. */
  commitTime: string;
  /** `git describe --tags --always --dirty`. */
  describe: string;
  /** None on a detached HEAD. */
  branch?: string;
  /** The origin as a web address where it can be told, without user name, password, query or fragment. */
  sourceUrl?: string;
  /** Changed and untracked paths relative to the root, sorted. */
  dirty: string[];
  /** The history is cut off, so `describe` may not see a tag. */
  shallow: boolean;
}

/** Undefined outside a repository and before the first commit. `env` is the caller's; of GIT_* nothing is passed on. */
export async function readRevision(rootDir: string, env: NodeJS.ProcessEnv = {}): Promise<Revision | undefined> {
  if (!isInRepository(rootDir)) return undefined;
  const ask = (...args: string[]) => askGit(rootDir, args, env);
  const head = await ask('log', '-1', '--no-show-signature', '--format=%H %ct', 'HEAD');
  if (head.exitCode !== 0) return readNothing(await ask('rev-parse', '--git-dir'));
  const [commit = '', seconds = ''] = head.stdout.trim().split(' ');
  const [describe, branch, origin, status, shallow] = await Promise.all([
    ask('describe', '--tags', '--always', '--dirty'),
    ask('symbolic-ref', '--quiet', '--short', 'HEAD'),
    ask('config', '--get', 'remote.origin.url'),
    ask(
      'status',
      '--porcelain=v1',
      '-z',
      '--untracked-files=all',
      '--no-renames',
      '--ignore-submodules=none',
      '--',
      '.',
    ),
    ask('rev-parse', '--is-shallow-repository', '--show-prefix'),
  ]);
  if (status.exitCode !== 0) throw unreadable(rootDir, status.stderr);
  const [isShallow, prefix = ''] = shallow.stdout.split('\n');
  const sourceUrl = cleanSourceUrl(origin.stdout.trim());
  return {
    commit,
    commitTime: new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z'),
    describe: describe.exitCode === 0 ? describe.stdout.trim() : commit.slice(0, 7),
    ...(branch.exitCode === 0 ? { branch: branch.stdout.trim() } : {}),
    ...(sourceUrl === undefined ? {} : { sourceUrl }),
    dirty: parseStatus(status.stdout, prefix),
    shallow: isShallow === 'true',
  };
}

/**
 * The origin without what is nobody's business: user names, passwords and tokens, queries and fragments. An ssh address
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

/** git exists only to be asked where there is a repository: a folder without one needs no git installed. */
export function isInRepository(rootDir: string): boolean {
  for (let folder = rootDir; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return true;
    if (dirname(folder) === folder) return false;
  }
}

function readNothing({ exitCode, stderr }: { exitCode: number; stderr: string }): undefined {
  if (exitCode !== 0 && !/not a git repository/.test(stderr)) throw unreadable('this folder', stderr);
  return undefined;
}

function unreadable(rootDir: string, stderr: string): GbuildError {
  return new GbuildError('workspace-unreadable', `git cannot read ${rootDir}: ${stderr.trim().split('\n')[0]}`);
}

function parseStatus(porcelain: string, prefix: string): string[] {
  const paths = porcelain
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => line.slice(3));
  return paths.map((path) => (path.startsWith(prefix) ? path.slice(prefix.length) : path)).sort();
}
