import { askGit, runOwnGit } from './git.ts';

/**
 * Reads the caller's name as git writes it, `Ada <ada@example.org>`: from GIT_COMMITTER_NAME and _EMAIL, the
 * repository's configuration, or the caller's own. Undefined where git knows no name, or is not installed.
 */
export async function readGitUser(dir: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const name = env.GIT_COMMITTER_NAME;
  if (name) return formatUser(name, env.GIT_COMMITTER_EMAIL);
  const args = ['config', '--get-regexp', '^user\\.(name|email)$'];
  try {
    const here = await askGit(dir, args, env);
    const { stdout } = here.exitCode === 128 ? await runOwnGit('/', args, env) : here;
    // git lists its files from the most general one to the repository's.
    const read = (key: string) => [...stdout.matchAll(new RegExp(`^user\\.${key} (.+)$`, 'gm'))].at(-1)?.[1];
    const [found, email] = [read('name'), read('email')];
    return found === undefined ? email : formatUser(found, email);
  } catch {
    return undefined;
  }
}

function formatUser(name: string, email: string | undefined): string {
  return email ? `${name} <${email}>` : name;
}
