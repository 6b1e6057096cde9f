import { GbuildError } from '../../errors.ts';
import { askGit } from '../git/git.ts';

/** Path of a commit, relative to the given folder. */
export interface TreeEntry {
  /** Mode `100644`, `100755`, `120000` (a link) or `160000` (a submodule). */
  mode: string;
  /** Id of the blob, or the submodule's commit. */
  id: string;
  /** Size in bytes; undefined for a submodule. */
  size?: number;
  path: string;
}

/** Reads the tree of a commit below a folder of its repository, in git's order. */
export async function readCommitTree(dir: string, commit: string, env: NodeJS.ProcessEnv): Promise<TreeEntry[]> {
  const { exitCode, stdout, stderr } = await askGit(dir, ['ls-tree', '-r', '-l', '-z', commit], env);
  if (exitCode !== 0)
    throw new GbuildError('workspace-unreadable', `git cannot read ${commit} of ${dir}: ${stderr.trim()}`, {
      suggestions: ['git fsck', 'git fetch --unshallow --tags'],
      facts: { dir, commit },
    });
  return stdout
    .split('\0')
    .filter((line) => line !== '')
    .map(parseEntry);
}

/** Parses `MODE TYPE OBJECT SIZE<tab>PATH`. */
function parseEntry(line: string): TreeEntry {
  const tab = line.indexOf('\t');
  const [mode = '', , id = '', size = '-'] = line.slice(0, tab).split(/ +/);
  return { mode, id, ...(size !== '-' && { size: Number(size) }), path: line.slice(tab + 1) };
}
