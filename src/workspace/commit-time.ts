import { execFile } from 'node:child_process';

/**
 * Seconds since 1970 of the commit a folder stands on; undefined outside a repository, before the first commit, or without
 * git. Asked at every run, so it takes the shortest way.
 */
export function readCommitTime(rootDir: string, path: string | undefined): Promise<number | undefined> {
  const args = ['-c', 'safe.directory=*', '--no-optional-locks', 'log', '-1', '--no-show-signature', '--format=%ct'];
  const env = { PATH: path ?? '', LC_ALL: 'C' };
  return new Promise((resolve) => {
    execFile('git', args, { cwd: rootDir, env }, (error, stdout) => {
      const seconds = Number.parseInt(stdout, 10);
      resolve(error !== null || Number.isNaN(seconds) ? undefined : seconds);
    });
  });
}
