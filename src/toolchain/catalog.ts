import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { GbuildError, messageOf } from '../errors.ts';
import { type BaseData, baseSchema, type ToolchainData, toolchainSchema } from './catalog-schema.ts';
import { parseData } from './data-file.ts';

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
 * Reads the catalog's folders; an entry of an earlier folder hides one of the same name in a later one. Entries are
 * validated when they are asked for. Throws 'toolchain-failed' for a folder that is not there.
 */
export function readCatalog(hostDirs: string[]): Catalog {
  const dirs = new Map<string, string>();
  for (const hostDir of hostDirs) {
    for (const name of listFolders(hostDir)) {
      const known = existsSync(join(hostDir, name, name === 'base' ? baseFile : toolchainFile));
      if (known && !dirs.has(name)) dirs.set(name, join(hostDir, name));
    }
  }
  const read = new Map<string, CatalogEntry>();
  return {
    names: [...dirs.keys()].filter((name) => name !== 'base').sort(),
    find: (name) => {
      const hostDir = name === 'base' ? undefined : dirs.get(name);
      if (hostDir === undefined) return undefined;
      const entry = read.get(name) ?? readEntry(name, hostDir);
      read.set(name, entry);
      return entry;
    },
    base: () => readBase(dirs.get('base'), hostDirs),
  };
}

function readEntry(name: string, hostDir: string): CatalogEntry {
  const file = join(hostDir, toolchainFile);
  const data = readData(file, toolchainSchema);
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

function readBase(hostDir: string | undefined, hostDirs: string[]): BaseEntry {
  if (hostDir === undefined) {
    throw new GbuildError('toolchain-failed', `no base/${baseFile} in the catalog (${hostDirs.join(', ')})`);
  }
  const data = readData(join(hostDir, baseFile), baseSchema);
  return { data, hostDir, files: () => readRecipeFiles(hostDir, (path) => path === baseFile || isReadme(path)) };
}

function readData<Schema extends z.ZodType>(file: string, schema: Schema): z.output<Schema> {
  return parseData(readFileSync(file, 'utf8'), file, schema);
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
