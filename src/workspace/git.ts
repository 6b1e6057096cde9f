import { execFile } from 'node:child_process';
import { GbuildError } from '../errors.ts';

export interface GitAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

const safe = [
  '--no-optional-locks',
  '-c',
  'safe.directory=*',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.quotePath=false',
];

/**
 * Asks git about a folder. The caller's GIT_* variables must not redirect it, its locks must not disturb an editor's git, and
 * a checkout of another owner (a CI agent's) is read all the same: nothing of the repository is run. Node's own child
 * process, because every image asks and a library would have to be loaded first.
 */
export function askGit(rootDir: string, args: string[], env: NodeJS.ProcessEnv, input?: string): Promise<GitAnswer> {
  const options = { cwd: rootDir, env: { ...withoutGit(env), LC_ALL: 'C' }, maxBuffer: 1 << 30 };
  return new Promise((resolve, reject) => {
    const git = execFile('git', [...safe, ...args], options, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') reject(missingGit());
      else resolve({ exitCode: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
    });
    if (input === undefined) return;
    // Where git ends without having read all, its exit code tells.
    git.stdin?.on('error', () => {}).end(input);
  });
}

function withoutGit(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')));
}

function missingGit(): GbuildError {
  return new GbuildError('usage', 'git is not installed, so the revision of this folder cannot be read', {
    suggestions: ['Install git (Debian and Ubuntu: sudo apt-get install git), then run the command again.'],
  });
}
