import { execFile, spawn } from 'node:child_process';
import { GbuildError } from '../../errors.ts';
import { findRepository, type GitRepository, listOwners } from './git-repository.ts';
import { GitView } from './git-view.ts';

export interface GitAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface GitInput {
  /** Standard input. */
  input?: string;
  /** Index to use instead of the repository's. */
  indexFile?: string;
}

/** Options that override the caller's configuration: an answer needs none of their programs, and must take no lock. */
const quiet = [
  '--no-optional-locks',
  '--no-pager',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.quotePath=false',
];

/**
 * Asks git about the repository around a folder. Nothing that the repository names is run, nothing is fetched, and the
 * caller's GIT_* variables do not redirect it. Exit code 128 outside of a repository.
 *
 * @throws GbuildError `workspace-unreadable` where git's own rule refuses the repository of another owner.
 */
export async function askGit(
  dir: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  { input, indexFile }: GitInput = {},
): Promise<GitAnswer> {
  const repository = findRepository(dir);
  if (repository === undefined) return { exitCode: 128, stdout: '', stderr: 'fatal: not a git repository\n' };
  await assertTrusted(repository, env);
  using view = GitView.open(repository, env.HOME);
  const index = indexFile === undefined ? {} : { GIT_INDEX_FILE: indexFile };
  const place = { GIT_DIR: view.gitDir, GIT_WORK_TREE: repository.topDir, ...index, ...withoutNetwork };
  return await execute(dir, [...quiet, ...view.args, ...args], { ...withoutGit(env), ...place }, input);
}

/** A partial clone fetches missing objects, with programs that its config names. */
const withoutNetwork = { GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1' };

/** Clones a repository with the caller's own configuration, over the usual protocols alone. */
export function cloneByGit(args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<GitAnswer> {
  const bounds = { GIT_ALLOW_PROTOCOL: 'https:http:ssh:git:file' };
  return execute(cwd, [...quiet, 'clone', '--template=', ...args], { ...withoutGit(env), ...bounds });
}

/** Runs git in a repository that gbuild made, with the caller's own configuration. */
export function runOwnGit(dir: string, args: string[], env: NodeJS.ProcessEnv, input?: string): Promise<GitAnswer> {
  return execute(dir, [...quiet, ...args], { ...withoutGit(env), ...withoutNetwork }, input);
}

/** Streams the output of git there, for answers that may be large. Throws where git fails. */
export async function* streamOwnGit(
  dir: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  input: string,
): AsyncGenerator<Buffer, void> {
  const options = { cwd: dir, env: { ...withoutGit(env), ...withoutNetwork, LC_ALL: 'C' } };
  const git = spawn('git', [...quiet, ...args], { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    git.on('close', resolve).on('error', reject);
  });
  ended.catch(() => {});
  let stderr = '';
  git.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  git.stdin.on('error', () => {}).end(input);
  try {
    yield* git.stdout;
  } finally {
    git.kill();
  }
  if ((await ended) !== 0) throw new Error(`git ${args[0]} failed: ${stderr.trim().split('\n')[0]}`);
}

/**
 * Asserts that git may read a repository of another owner: only the caller's own configuration can allow it
 * (`safe.directory`).
 */
async function assertTrusted(repository: GitRepository, env: NodeJS.ProcessEnv): Promise<void> {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  const caller = uid === 0 && /^\d+$/.test(env.SUDO_UID ?? '') ? Number(env.SUDO_UID) : uid;
  if (listOwners(repository).every((owner) => owner === uid || owner === caller)) return;
  const { topDir } = repository;
  const { exitCode, stderr } = await execute(topDir, [...quiet, 'rev-parse', '--git-dir'], withoutGit(env));
  if (exitCode === 0) return;
  const refusal = stderr.trim().split('\n')[0];
  throw new GbuildError('workspace-unreadable', `git does not read ${topDir}, which another user owns: ${refusal}`, {
    suggestions: [`git config --global --add safe.directory '${topDir}'   # if you trust its owner`],
    facts: { topDir },
  });
}

/** Runs git with Node's own child process: every run asks git, and a library would have to be loaded first. */
function execute(cwd: string, args: string[], env: NodeJS.ProcessEnv, input?: string): Promise<GitAnswer> {
  const options = { cwd, env: { ...env, LC_ALL: 'C' }, maxBuffer: 1 << 30, timeout: commandTimeout };
  return new Promise((resolve, reject) => {
    const git = execFile('git', args, options, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') reject(missingGit());
      else if (error?.killed) reject(stuckGit(cwd, args));
      else resolve({ exitCode: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
    });
    if (input === undefined) return;
    // Where git ends without having read everything, its exit code has the reason.
    git.stdin?.on('error', () => {}).end(input);
  });
}

/**
 * Time limit in milliseconds: an answer takes seconds in the largest repositories, and for ever where git reads a named
 * pipe.
 */
const commandTimeout = 600_000;

function withoutGit(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')));
}

/** Describes git's refusal with the name of the folder. */
export function gitRefused(dir: string, stderr: string): GbuildError {
  return new GbuildError('workspace-unreadable', `git cannot read ${dir}: ${stderr.trim().split('\n')[0]}`, {
    suggestions: ['git status', 'git fsck'],
    facts: { dir },
  });
}

function missingGit(): GbuildError {
  return new GbuildError('usage', 'git is not installed, so the revision of this folder cannot be read', {
    suggestions: ['Install git (Debian and Ubuntu: sudo apt-get install git), then run the command again.'],
  });
}

function stuckGit(cwd: string, args: string[]): GbuildError {
  const asked = args.find((arg) => /^[a-z]/.test(arg) && !arg.includes('.'));
  return new GbuildError('workspace-unreadable', `git ${asked} did not answer within 10 minutes in ${cwd}`, {
    suggestions: ['git status', `find '${cwd}' -type p   # named pipes, which git waits for`],
    facts: { cwd },
  });
}
