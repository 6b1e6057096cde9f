import { GbuildError } from '../errors.ts';

export interface GitAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Asks git about a folder. The caller's GIT_* variables must not redirect it, its locks must not disturb an editor's git, and
 * a checkout of another owner (a CI agent's) is read all the same: nothing of the repository is run.
 */
export async function askGit(rootDir: string, args: string[], env: NodeJS.ProcessEnv): Promise<GitAnswer> {
  const { execa } = await import('execa');
  const safe = [
    '--no-optional-locks',
    '-c',
    'safe.directory=*',
    '-c',
    'core.fsmonitor=false',
    '-c',
    'core.quotePath=false',
  ];
  const result = await execa('git', [...safe, ...args], {
    cwd: rootDir,
    env: { ...withoutGit(env), LC_ALL: 'C' },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 1 << 30,
  });
  if (result.code === 'ENOENT') throw missingGit();
  return { exitCode: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr };
}

function withoutGit(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')));
}

function missingGit(): GbuildError {
  return new GbuildError('usage', 'git is not installed, so the revision of this folder cannot be read', {
    suggestions: ['Install git (Debian and Ubuntu: sudo apt-get install git), then run the command again.'],
  });
}
