import { askGit } from './git.ts';

/** Lists the paths in git's index below the root, in git's order (bytes); undefined outside of a repository. */
export async function readTrackedFiles(rootDir: string, env: NodeJS.ProcessEnv = {}): Promise<string[] | undefined> {
  const { exitCode, stdout } = await askGit(rootDir, ['ls-files', '-z'], env);
  if (exitCode !== 0) return undefined;
  return [...new Set(stdout.split('\0').filter((path) => path !== ''))];
}
