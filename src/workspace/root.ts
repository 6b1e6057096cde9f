import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GbuildError } from '../errors.ts';
import { isThere } from '../fs/read-bounded.ts';

export interface Root {
  rootDir: string;
  specFile?: string;
  /** Folders that may be the project where there is no gbuild.yml, from the caller's upwards to git's top. */
  folders?: string[];
  /** Reason in one sentence, for `doctor` and `--verbose`. */
  why: string;
}

/**
 * Finds the repository of a command: the nearest folder upwards with a gbuild.yml, else the git top level, else the
 * folder itself. The home folder and those above it count only when the caller is in them. Throws `spec-missing` for a
 * gbuild.yaml, `usage` for the root of the file system.
 */
export function findRoot(cwd: string, homeDir?: string): Root {
  const folders = listUpwards(cwd, homeDir);
  for (const rootDir of folders) {
    const specFile = join(rootDir, 'gbuild.yml');
    if (isThere(specFile)) return { rootDir, specFile, why: `${specFile} is there` };
    const misspelt = join(rootDir, 'gbuild.yaml');
    if (existsSync(misspelt)) throw misspelled(misspelt);
  }
  const top = folders.find((folder) => existsSync(join(folder, '.git')));
  if (top !== undefined)
    return {
      rootDir: top,
      folders: folders.slice(0, folders.indexOf(top) + 1),
      why: 'no gbuild.yml is there; this is the top level of the git repository',
    };
  if (dirname(cwd) === cwd) {
    const suggestions = ['cd to the folder of a project, then run the command again.'];
    throw new GbuildError('usage', `${cwd} is the root of the file system, not a project`, { suggestions });
  }
  return {
    rootDir: cwd,
    folders: [cwd],
    why: 'no gbuild.yml and no git repository is there; this is the current folder',
  };
}

function listUpwards(cwd: string, homeDir: string | undefined): string[] {
  const outside = new Set<string>();
  for (let folder = homeDir && resolveLinks(homeDir); folder; folder = dirname(folder)) {
    outside.add(folder);
    if (dirname(folder) === folder) break;
  }
  const folders = [cwd];
  for (
    let folder = dirname(cwd);
    folder !== dirname(folder) && !outside.has(resolveLinks(folder));
    folder = dirname(folder)
  ) {
    folders.push(folder);
  }
  return folders;
}

function resolveLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function misspelled(file: string): GbuildError {
  return new GbuildError('spec-missing', `${file} is not read: the spec is called gbuild.yml`, {
    suggestions: [`mv ${basename(file)} gbuild.yml`],
    facts: { file },
  });
}
