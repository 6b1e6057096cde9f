import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import picomatch from 'picomatch';
import { largestSettings, readTextIfAny } from '../../fs/read-bounded.ts';

/**
 * Lists the folders of a project's own packages, relative to the root and sorted; '' is the root. They are workspaces
 * in package.json or pnpm-workspace.yaml, have installed packages, or are linked by an installation. `isSource` tells
 * whether a folder belongs to the project at all.
 */
export function listNodeMembers(rootDir: string, isSource: (folder: string) => boolean): string[] {
  if (!exists(join(rootDir, 'package.json'))) return [];
  const packages = listPackages(rootDir, isSource);
  const isWorkspace = matchWorkspaces(rootDir);
  const installed = ['', ...packages.filter((folder) => exists(join(rootDir, folder, 'node_modules')))];
  const linked = new Set(installed.flatMap((folder) => listLinked(rootDir, folder)));
  const members = packages.filter((folder) => linked.has(folder) || isWorkspace(folder));
  return [...new Set([...installed, ...members])].sort();
}

/** Lists folders below the root that have a package.json. */
function listPackages(rootDir: string, isSource: (folder: string) => boolean): string[] {
  const found: string[] = [];
  const queue = [''];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    for (const entry of readFolder(join(rootDir, folder))) {
      const path = posix.join(folder, entry.name);
      if (entry.isFile() && entry.name === 'package.json' && folder !== '') found.push(folder);
      if (!entry.isDirectory() || entry.name === 'node_modules' || entry.name === '.git') continue;
      if (isSource(path)) queue.push(path);
    }
  }
  return found;
}

/** Lists folders that links in node_modules lead to. */
function listLinked(rootDir: string, folder: string): string[] {
  const modules = join(rootDir, folder, 'node_modules');
  const names = readFolder(modules).flatMap(({ name }) =>
    name.startsWith('@') ? readFolder(join(modules, name)).map((own) => join(name, own.name)) : [name],
  );
  const realRoot = realpathSync(rootDir);
  return names.flatMap((name) => {
    const path = join(modules, name);
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true || !exists(path)) return [];
    return [relative(realRoot, realpathSync(path)).replaceAll(sep, '/')];
  });
}

function matchWorkspaces(rootDir: string): (folder: string) => boolean {
  const globs = [...readWorkspaces(rootDir), ...readPnpmPackages(rootDir)].map((glob) =>
    glob.replace(/^\.\/|\/$/g, ''),
  );
  const left = globs.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
  const named = globs.filter((glob) => !glob.startsWith('!'));
  return named.length === 0 ? () => false : picomatch(named, { ignore: left });
}

function readWorkspaces(rootDir: string): string[] {
  try {
    const { workspaces } = JSON.parse(readText(rootDir, 'package.json').replace(/^\uFEFF/, ''));
    const globs: unknown = Array.isArray(workspaces) ? workspaces : workspaces?.packages;
    return Array.isArray(globs) ? globs.filter((glob) => typeof glob === 'string') : [];
  } catch {
    return [];
  }
}

/** Reads the list below `packages:`. Packages of a list in another form are found through pnpm's installation. */
function readPnpmPackages(rootDir: string): string[] {
  const list = /^packages:[ \t]*(?:#.*)?\n((?:[ \t]*(?:#.*|-[ \t].*)?\n)*)/m.exec(
    `${readText(rootDir, 'pnpm-workspace.yaml')}\n`,
  );
  return [...(list?.[1] ?? '').matchAll(/^\s*-\s+(['"]?)([^'"#\n]+?)\1\s*(?:#.*)?$/gm)].map(([, , glob]) => glob!);
}

function readText(rootDir: string, file: string): string {
  return readTextIfAny(join(rootDir, file), largestSettings) ?? '';
}

function readFolder(hostDir: string) {
  try {
    return readdirSync(hostDir, { withFileTypes: true });
  } catch {
    return [];
  }
}

function exists(path: string): boolean {
  try {
    return realpathSync(path) !== '';
  } catch {
    return false;
  }
}
