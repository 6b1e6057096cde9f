import { lstatSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';

/** Returns the git folder that a `.git` file names, relative to the file's folder; undefined where it names none. */
export function parseGitFile(text: string): string | undefined {
  return /^gitdir: (.+?)[\r\n]*$/s.exec(text)?.[1];
}

/**
 * Returns the submodule's git folder in a copy of its repository's, by the submodule's `.git` file. Undefined where
 * that file leads to another place. Undefined also where the copy has the original's path, so that the file is right
 * there as well.
 */
export function placeSubmodule(
  gitFile: string,
  { topDir, gitDir }: { topDir: string; gitDir: string },
  copyDir: string,
): string | undefined {
  if (gitDir === join(topDir, '.git') || !lstatSync(gitFile).isFile()) return undefined;
  const named = parseGitFile(readWhole(gitFile, largestSettings).toString());
  const modules = join(gitDir, 'modules/');
  const dir = resolve(dirname(gitFile), named ?? '.');
  return dir.startsWith(modules) ? `${copyDir}/modules/${dir.slice(modules.length)}` : undefined;
}
