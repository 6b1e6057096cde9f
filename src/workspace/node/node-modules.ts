import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { largestSettings, readTextIfAny } from '../../fs/read-bounded.ts';
import type { KeepPath } from './npm.ts';

/** Keys of package.json that decide what an installed package can load. */
interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/**
 * Folders in node_modules that hold packages under names of the package manager: pnpm's, and those of yarn's pnpm
 * linker.
 */
const storeFolder = /^((?:.+\/)?node_modules\/\.(?:pnpm|store)\/[^/]+)(?:\/|$)/;

/**
 * Finds production's part of node_modules by the installed packages, for any package manager. A package is left out
 * when only devDependencies reach it, by Node's own rules of resolution. `members` are the folders of the project's own
 * packages; '' is the root.
 */
export function findProductionModules(rootDir: string, members: readonly string[]): KeepPath {
  const tree = new ModuleTree(rootDir);
  const production = tree.reach(members, namesOfProduction);
  const development = tree.reach(members, namesOfAll);
  const left = new Set([...development].filter((path) => !production.has(path)));
  const stores = listStores(left);
  for (const store of listStores(production)) stores.delete(store);
  return (path) => !new Exclusion(tree, left, stores).covers(path);
}

class Exclusion {
  readonly #tree: ModuleTree;
  readonly #left: ReadonlySet<string>;
  readonly #stores: ReadonlySet<string>;

  constructor(tree: ModuleTree, left: ReadonlySet<string>, stores: ReadonlySet<string>) {
    this.#tree = tree;
    this.#left = left;
    this.#stores = stores;
  }

  covers(path: string): boolean {
    if (!/(?:^|\/)node_modules\/[^/]/.test(path)) return false;
    if (this.#isLeft(path)) return true;
    const target = this.#tree.readTarget(path) ?? this.#readShim(path);
    if (target !== undefined) return this.#isIn(target);
    return /(?:^|\/)node_modules\/@[^/]+$/.test(path) && this.#isEmptied(path);
  }

  #isLeft(path: string): boolean {
    return this.#left.has(path) || this.#stores.has(path);
  }

  #isIn(path: string): boolean {
    for (let at = path; at !== '.' && at !== ''; at = posix.dirname(at)) if (this.#isLeft(at)) return true;
    return false;
  }

  /** Whether all packages of a scope are left out. */
  #isEmptied(scope: string): boolean {
    const names = this.#tree.list(scope);
    return names.length > 0 && names.every((name) => this.covers(`${scope}/${name}`));
  }

  /** Returns the program that a pnpm script in .bin runs. */
  #readShim(path: string): string | undefined {
    if (posix.basename(posix.dirname(path)) !== '.bin') return undefined;
    const named = /"\$basedir\/([^"$]+)" +"\$@"/.exec(this.#tree.readText(path) ?? '')?.[1];
    return named === undefined ? undefined : this.#tree.resolve(posix.join(posix.dirname(path), named));
  }
}

/** Packages installed below a root, by paths relative to it. */
class ModuleTree {
  readonly #rootDir: string;

  constructor(rootDir: string) {
    this.#rootDir = realpathSync(rootDir);
  }

  /** Returns the installed packages that the members reach, by their real paths. */
  reach(members: readonly string[], namesOf: (manifest: Manifest, isMember: boolean) => string[]): Set<string> {
    const seen = new Set<string>();
    const queue = [...members];
    const isMember = new Set(members);
    for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
      const names = namesOf(this.#readManifest(folder), isMember.has(folder));
      for (const name of [...names, ...this.#listSiblings(folder)]) {
        const found = this.#find(name, folder);
        if (found === undefined || seen.has(found) || isMember.has(found)) continue;
        seen.add(found);
        queue.push(found);
      }
    }
    return new Set([...seen].filter((path) => /(?:^|\/)node_modules\//.test(path)));
  }

  list(folder: string): string[] {
    try {
      return readdirSync(join(this.#rootDir, folder));
    } catch {
      return [];
    }
  }

  readText(path: string): string | undefined {
    return readTextIfAny(join(this.#rootDir, path), largestSettings);
  }

  /** Returns the final target of a link; undefined for anything but a link, and outside of the root. */
  readTarget(path: string): string | undefined {
    const stat = lstatSync(join(this.#rootDir, path), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() !== true) return undefined;
    return this.resolve(path) ?? posix.join(posix.dirname(path), readlinkSync(join(this.#rootDir, path)));
  }

  /** Returns the real path; undefined for one that does not exist or is outside of the root. */
  resolve(path: string): string | undefined {
    try {
      const real = relative(this.#rootDir, realpathSync(join(this.#rootDir, path)));
      return real.startsWith('..') ? undefined : real.replaceAll(sep, '/');
    } catch {
      return undefined;
    }
  }

  /** Finds a package as Node does: in the node_modules of each folder upwards. */
  #find(name: string, folder: string): string | undefined {
    for (let at = folder; ; at = at.includes('/') ? posix.dirname(at) : '') {
      const found =
        posix.basename(at) === 'node_modules' ? undefined : this.resolve(posix.join(at, 'node_modules', name));
      if (found !== undefined || at === '') return found;
    }
  }

  /** Lists the siblings of a package in pnpm's folder: exactly what it can load, with its optional peers. */
  #listSiblings(folder: string): string[] {
    const [, store] = storeFolder.exec(folder) ?? [];
    if (store === undefined) return [];
    const modules = `${store}/node_modules`;
    return this.list(modules)
      .filter((name) => !name.startsWith('.'))
      .flatMap((name) =>
        name.startsWith('@') ? this.list(`${modules}/${name}`).map((own) => `${name}/${own}`) : [name],
      );
  }

  #readManifest(folder: string): Manifest {
    return parseObject(this.readText(posix.join(folder, 'package.json')));
  }
}

function listStores(paths: Iterable<string>): Set<string> {
  return new Set([...paths].flatMap((path) => storeFolder.exec(path)?.[1] ?? []));
}

function namesOfProduction(manifest: Manifest): string[] {
  const { dependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return [...Object.keys(dependencies ?? {}), ...Object.keys(optionalDependencies ?? {}), ...peers];
}

function namesOfAll(manifest: Manifest, isMember: boolean): string[] {
  const { devDependencies, peerDependencies } = manifest;
  const own = isMember ? Object.keys(devDependencies ?? {}) : [];
  return [...namesOfProduction(manifest), ...Object.keys(peerDependencies ?? {}), ...own];
}

/**
 * Parses a manifest. An unreadable package.json counts as empty: the package manager has refused it where it matters.
 */
function parseObject(text: string | undefined): Manifest {
  try {
    const parsed: unknown = JSON.parse((text ?? '{}').replace(/^\uFEFF/, ''));
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
