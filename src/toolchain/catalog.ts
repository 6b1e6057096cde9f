import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError, messageOf } from '../errors.ts';
import { largestFile, readBounded } from '../spec/read-bounded.ts';
import type { BaseData, ToolchainData } from './catalog-schema.ts';

/** One file that goes into a recipe: its path below the folder, whether it is executable, and its bytes. */
export interface RecipeFile {
  path: string;
  executable: boolean;
  bytes: Buffer;
  /** A symbolic link, `bytes` being its target: never followed. */
  isLink?: boolean;
}

/** images/<name>/: the data, and the folder with everything that goes into the build. */
export interface CatalogEntry {
  data: ToolchainData;
  hostDir: string;
  /** Files of the caller's home that the data asks for and does not get: the repository itself names the catalog. */
  refusedHostFiles: string[];
  /** Of the last of the catalog's folders, which is gbuild's own: what is wrong with it is not the caller's to mend. */
  isBuiltIn: boolean;
  /** `package@version` -> the integrity (`sha512-...`) that the catalog vouches for. */
  pins: () => Record<string, string>;
  /** What goes into the build context and the recipe, sorted by path. */
  files: () => RecipeFile[];
}

export interface BaseEntry {
  data: BaseData;
  hostDir: string;
  files: () => RecipeFile[];
}

export interface Catalog {
  /** Names in the order in which detection asks them. */
  names: string[];
  find: (name: string) => CatalogEntry | undefined;
  base: () => BaseEntry;
}

const toolchainFile = 'toolchain.yml';
const baseFile = 'base.yml';
const pinsFile = 'integrity.json';

/**
 * Answers what parsing these bytes gives, parsing them or not: a caller may keep results by kind and bytes. What the parser
 * throws must be thrown.
 */
export type KeepParsed = <T>(kind: string, bytes: Uint8Array, parse: () => Promise<T>) => Promise<T>;

/**
 * Reads the catalog's folders; an entry of an earlier folder hides one of the same name in a later one. A mistake in an
 * entry is thrown when it is asked for. `untrusted`: the folders that the repository names and the caller does not. Throws
 * 'toolchain-failed' for a folder that is not there.
 */
export async function readCatalog(
  hostDirs: string[],
  keep: KeepParsed = (_kind, _bytes, parse) => parse(),
  untrusted: readonly string[] = [],
): Promise<Catalog> {
  const dirs = new Map<string, string>();
  // By the folder as it was given: a path put together again may be spelled otherwise.
  const catalogOf = new Map<string, string>();
  for (const hostDir of hostDirs) {
    for (const name of listFolders(hostDir)) {
      const known = existsSync(join(hostDir, name, name === 'base' ? baseFile : toolchainFile));
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

/** Does the work now, and answers or throws what came of it when asked. */
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

/** The caller's files go to tools that gbuild or the caller vouches for: a repository would send them where it likes. */
function withHostFiles(entry: ReadEntry, isTrusted: boolean): Omit<CatalogEntry, 'isBuiltIn'> {
  if (isTrusted) return { ...entry, refusedHostFiles: [] };
  const refusedHostFiles = entry.data.hostFiles.map(({ from }) => from);
  return { ...entry, data: { ...entry.data, hostFiles: [] }, refusedHostFiles };
}

async function readEntry(name: string, hostDir: string, keep: KeepParsed): Promise<ReadEntry> {
  const file = join(hostDir, toolchainFile);
  const data = await readData<ToolchainData>(file, keep, 'toolchain');
  if (data.name !== name) {
    throw new GbuildError('toolchain-failed', `${file}: name is "${data.name}", but its folder is "${name}"`, {
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

/** Parser and schemas are loaded when something must be parsed. */
function readData<T>(file: string, keep: KeepParsed, kind: 'toolchain' | 'base'): Promise<T> {
  const bytes = readWhole(file);
  return keep(kind, bytes, async () => {
    const [{ parseData }, { baseSchema, toolchainSchema }] = await Promise.all([
      import('./data-file.ts'),
      import('./catalog-schema.ts'),
    ]);
    return parseData(bytes.toString(), file, kind === 'base' ? baseSchema : toolchainSchema) as T;
  });
}

function readWhole(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readBounded(file);
  } catch (cause) {
    throw new GbuildError('toolchain-failed', `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
  if (bytes.length <= largestFile) return bytes;
  throw new GbuildError('toolchain-failed', `${file} is larger than ${largestFile / 1024} KiB`, {
    suggestions: [`ls -l ${file}`],
  });
}

function isReadme(path: string): boolean {
  return /^README/.test(path);
}

function readPins(file: string): Record<string, string> {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}

function listFolders(hostDir: string): string[] {
  try {
    return readdirSync(hostDir, { withFileTypes: true })
      .filter((item) => item.isDirectory())
      .map((item) => item.name);
  } catch (cause) {
    throw new GbuildError('toolchain-failed', `cannot read the toolchain catalog ${hostDir}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Reads all files below a folder but those to skip and a repository's own .git. */
export function readRecipeFiles(hostDir: string, skip: (path: string) => boolean): RecipeFile[] {
  const files: RecipeFile[] = [];
  const visit = (below: string) => {
    for (const name of readdirSync(join(hostDir, below))) {
      const path = below === '' ? name : `${below}/${name}`;
      if (name === '.git' || skip(path)) continue;
      const file = join(hostDir, path);
      const stat = lstatSync(file);
      if (stat.isDirectory()) visit(path);
      else if (stat.isFile()) files.push({ path, executable: (stat.mode & 0o111) !== 0, bytes: readFileSync(file) });
      else if (stat.isSymbolicLink()) {
        files.push({ path, executable: false, bytes: Buffer.from(readlinkSync(file)), isLink: true });
      }
    }
  };
  visit('');
  return files.sort((left, right) => Buffer.compare(Buffer.from(left.path), Buffer.from(right.path)));
}
