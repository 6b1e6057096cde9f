import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { isThere, largestSettings, readWhole } from '../../fs/read-bounded.ts';
import type { BaseData, ToolchainData } from './catalog-schema.ts';

/** File of a recipe: its path below the folder, whether it is executable, and its bytes. */
export interface RecipeFile {
  path: string;
  executable: boolean;
  bytes: Buffer;
  /** Whether it is a symbolic link, with its target in `bytes`; it is never followed. */
  isLink?: boolean;
}

/** Entry images/<name>/: its data, and the folder with everything that the build uses. */
export interface CatalogEntry {
  data: ToolchainData;
  hostDir: string;
  /**
   * Files of the caller's home folder that the data requests and does not get, because the repository itself names the
   * catalog.
   */
  refusedHostFiles: string[];
  /** Whether it is in the last of the catalog's folders, gbuild's own: the caller cannot fix its faults. */
  isBuiltIn: boolean;
  /** Returns the integrity (`sha512-...`) that the catalog pins, by `package@version`. */
  pins: () => Record<string, string>;
  /** Returns files of the build context and the recipe, sorted by path. */
  files: () => RecipeFile[];
}

export interface BaseEntry {
  data: BaseData;
  hostDir: string;
  files: () => RecipeFile[];
}

export interface Catalog {
  /** Names in the order in which detection tries them. */
  names: string[];
  find: (name: string) => CatalogEntry | undefined;
  base: () => BaseEntry;
}

const toolchainFile = 'toolchain.yml';
const baseFile = 'base.yml';
const pinsFile = 'integrity.json';

/** Limit in bytes for all files of a recipe. */
const largestRecipe = 1 << 30;

/**
 * Returns the result of parsing these bytes, which it may cache by kind and bytes. Failures of the parser must be
 * thrown.
 */
export type KeepParsed = <T>(kind: string, bytes: Uint8Array, parse: () => Promise<T>) => Promise<T>;

/**
 * Reads the catalog's folders; an entry of an earlier folder hides one of the same name in a later one. A mistake in an
 * entry is thrown when the entry is requested. `untrusted` holds the folders that only the repository names. Throws
 * `config-invalid` for a folder that cannot be read.
 */
export async function readCatalog(
  hostDirs: string[],
  keep: KeepParsed = (_kind, _bytes, parse) => parse(),
  untrusted: readonly string[] = [],
): Promise<Catalog> {
  const dirs = new Map<string, string>();
  // Keyed by the folder as it was given: a rebuilt path may be spelled differently.
  const catalogOf = new Map<string, string>();
  for (const hostDir of hostDirs) {
    for (const name of listFolders(hostDir)) {
      const known = isThere(join(hostDir, name, name === 'base' ? baseFile : toolchainFile));
      if (!known || dirs.has(name)) continue;
      dirs.set(name, join(hostDir, name));
      catalogOf.set(name, hostDir);
    }
  }
  const names = [...dirs.keys()].filter((name) => name !== 'base').sort();
  const entries = new Map<string, () => CatalogEntry>();
  const builtIn = hostDirs.at(-1);
  for (const name of names) {
    const hostDir = dirs.get(name)!;
    const catalogDir = catalogOf.get(name)!;
    const isBuiltIn = catalogDir === builtIn;
    const isTrusted = !untrusted.includes(catalogDir);
    entries.set(
      name,
      await later(async () => ({ ...withHostFiles(await readEntry(name, hostDir, keep), isTrusted), isBuiltIn })),
    );
  }
  const base = await later(() => readBase(dirs.get('base'), hostDirs, keep));
  return { names, find: (name) => entries.get(name)?.(), base };
}

/** Does the work now, and returns a function that returns or throws its result. */
async function later<T>(work: () => Promise<T>): Promise<() => T> {
  try {
    const value = await work();
    return () => value;
  } catch (thrown) {
    return () => {
      throw thrown;
    };
  }
}

type ReadEntry = Omit<CatalogEntry, 'isBuiltIn' | 'refusedHostFiles'>;

/**
 * Adds the caller's files for a catalog that gbuild or the caller trusts: a repository's own could send them anywhere.
 */
function withHostFiles(entry: ReadEntry, isTrusted: boolean): Omit<CatalogEntry, 'isBuiltIn'> {
  if (isTrusted) return { ...entry, refusedHostFiles: [] };
  const refusedHostFiles = entry.data.hostFiles.map(({ from }) => from);
  return { ...entry, data: { ...entry.data, hostFiles: [] }, refusedHostFiles };
}

async function readEntry(name: string, hostDir: string, keep: KeepParsed): Promise<ReadEntry> {
  const file = join(hostDir, toolchainFile);
  const data = await readData<ToolchainData>(file, keep, 'toolchain');
  if (data.name !== name) {
    throw new GbuildError('config-invalid', `${file}: name is "${data.name}", but its folder is "${name}"`, {
      suggestions: [`write "name: ${name}" in ${file}`],
    });
  }
  return {
    data,
    hostDir,
    pins: () => readPins(join(hostDir, pinsFile)),
    files: () => readRecipeFiles(hostDir, (path) => path === toolchainFile || path === pinsFile || isReadme(path)),
  };
}

async function readBase(hostDir: string | undefined, hostDirs: string[], keep: KeepParsed): Promise<BaseEntry> {
  if (hostDir === undefined) {
    throw new GbuildError('toolchain-failed', `no base/${baseFile} in the catalog (${hostDirs.join(', ')})`);
  }
  const data = await readData<BaseData>(join(hostDir, baseFile), keep, 'base');
  return { data, hostDir, files: () => readRecipeFiles(hostDir, (path) => path === baseFile || isReadme(path)) };
}

/** Parses data; parser and schemas are loaded only when needed. */
function readData<T>(file: string, keep: KeepParsed, kind: 'toolchain' | 'base'): Promise<T> {
  const bytes = readOwn(file);
  return keep(kind, bytes, async () => {
    const [{ parseData }, { baseSchema, catalogToolchainSchema }] = await Promise.all([
      import('./data-file.ts'),
      import('./catalog-schema.ts'),
    ]);
    return parseData(bytes.toString(), file, kind === 'base' ? baseSchema : catalogToolchainSchema) as T;
  });
}

/** Reads a file of the catalog. Throws `config-invalid` with its name. */
function readOwn(file: string, limit?: number): Buffer {
  try {
    return readWhole(file, limit);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(path: string, cause: unknown): GbuildError {
  return new GbuildError('config-invalid', `${path}, of a toolchain catalog, cannot be read: ${messageOf(cause)}`, {
    cause,
    suggestions: [`ls -ld ${path}`],
    facts: { path },
  });
}

function isReadme(path: string): boolean {
  return /^README/.test(path);
}

function readPins(file: string): Record<string, string> {
  if (!isThere(file)) return {};
  const bytes = readOwn(file, largestSettings);
  try {
    return JSON.parse(bytes.toString()) as Record<string, string>;
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function listFolders(hostDir: string): string[] {
  try {
    return readdirSync(hostDir, { withFileTypes: true })
      .filter((item) => item.isDirectory())
      .map((item) => item.name);
  } catch (cause) {
    throw unreadable(hostDir, cause);
  }
}

/**
 * Reads all files below a folder except for skipped ones and a repository's .git. They are held in memory and sent to
 * the engine: throws `config-invalid` for more than a gigabyte. Sockets and the like have no content and are left out.
 */
export function readRecipeFiles(hostDir: string, skip: (path: string) => boolean): RecipeFile[] {
  const files: RecipeFile[] = [];
  let left = largestRecipe;
  const folders = [''];
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    for (const name of listNames(join(hostDir, below))) {
      const path = below === '' ? name : `${below}/${name}`;
      if (name === '.git' || skip(path)) continue;
      const file = join(hostDir, path);
      const stat = lstatSync(file);
      if (stat.isDirectory()) folders.push(path);
      else if (stat.isSymbolicLink()) {
        files.push({ path, executable: false, bytes: Buffer.from(readlinkSync(file)), isLink: true });
      } else if (stat.isFile()) {
        if (stat.size > left) throw tooLarge(hostDir, file);
        const bytes = readOwn(file, left);
        left -= bytes.length;
        files.push({ path, executable: (stat.mode & 0o111) !== 0, bytes });
      }
    }
  }
  return files.sort((left, right) => Buffer.compare(Buffer.from(left.path), Buffer.from(right.path)));
}

function listNames(hostDir: string): string[] {
  try {
    return readdirSync(hostDir);
  } catch (cause) {
    throw unreadable(hostDir, cause);
  }
}

function tooLarge(hostDir: string, file: string): GbuildError {
  return new GbuildError('config-invalid', `the toolchain in ${hostDir} is larger than 1 GiB, with ${file}`, {
    suggestions: [`du -ah ${hostDir} | sort -h | tail`, 'have its Dockerfile fetch what is large'],
    facts: { path: file },
  });
}
