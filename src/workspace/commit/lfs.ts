import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, lstatSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { GbuildError, messageOf } from '../../errors.ts';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import { runOwnGit } from '../git/git.ts';

/** Size limit of a pointer in bytes, from the specification of git-lfs. */
export const mostPointer = 1024;

/** Whether a blob is a pointer to a file that git-lfs stores (docs/spec.md of git-lfs). */
export function isPointer(bytes: Buffer): boolean {
  return bytes.subarray(0, 40).toString('latin1').startsWith('version https://git-lfs.github.com/spec/');
}

/**
 * Replaces pointers by their files, in a checkout that gbuild made: from the store of the repository's git-lfs, or
 * fetched by git-lfs. Paths that .gitattributes does not assign to git-lfs stay.
 *
 * @throws GbuildError `release-refused` where git-lfs is missing or cannot get the file
 */
export async function resolvePointers(
  dir: string,
  pointers: string[],
  lfsDir: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const paths = await listLfsPaths(dir, pointers, env);
  if (paths.length === 0) return;
  if ((await runOwnGit(dir, ['lfs', 'version'], env)).exitCode !== 0)
    throw refused(paths, 'git-lfs is not installed here', ['apt-get install git-lfs && git lfs pull']);
  for (const path of paths) await resolvePointer(dir, path, lfsDir, env);
}

async function listLfsPaths(dir: string, pointers: string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  if (pointers.length === 0) return [];
  const input = pointers.map((path) => `${path}\0`).join('');
  const { stdout } = await runOwnGit(dir, ['check-attr', '-z', '--stdin', 'filter'], env, input);
  // Format: PATH, ATTRIBUTE, VALUE.
  const fields = stdout.split('\0');
  return pointers.filter((path, at) => fields[3 * at] === path && fields[3 * at + 2] === 'lfs');
}

async function resolvePointer(dir: string, path: string, lfsDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const file = join(dir, path);
  const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(readWhole(file, largestSettings).toString('latin1'))?.[1];
  const temporary = `${file}.gbuild-lfs`;
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')));
  const git = spawn('git', ['-c', `lfs.storage=${lfsDir}`, 'lfs', 'smudge', '--', path], {
    cwd: dir,
    env: { ...own, GIT_TERMINAL_PROMPT: '0' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  git.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    git.on('close', resolve).on('error', reject);
  });
  ended.catch(() => {});
  const hash = createHash('sha256');
  git.stdout.on('data', (chunk) => hash.update(chunk));
  try {
    await Promise.all([
      pipeline(createReadStream(file), git.stdin),
      pipeline(git.stdout, createWriteStream(temporary, { flags: 'wx', mode: lstatSync(file).mode & 0o777 })),
    ]);
    if ((await ended) !== 0 || hash.digest('hex') !== oid)
      throw refused([path], `git-lfs cannot give it: ${stderr.trim().split('\n').at(-1)}`, ['git lfs pull']);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error instanceof GbuildError ? error : refused([path], messageOf(error), ['git lfs pull']);
  }
}

function refused(paths: string[], why: string, suggestions: string[]): GbuildError {
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
  const shown = `${paths.slice(0, 3).join(', ')}${more}`;
  return new GbuildError(
    'release-refused',
    `${shown} is kept by git-lfs, and the commit has its pointer alone: ${why}`,
    {
      suggestions,
      facts: { paths },
    },
  );
}
