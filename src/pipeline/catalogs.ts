import { createHash } from 'node:crypto';
import {
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { GbuildError } from '../errors.ts';
import { readCached, writeCached } from '../fs/cached-file.ts';
import { removeAny } from '../fs/replace-file.ts';
import type { Host } from '../host.ts';
import type { Progress } from '../reporter/progress.ts';
import { readBounded } from '../spec/read-bounded.ts';
import { type Catalog, type KeepParsed, readCatalog } from '../toolchain/catalog.ts';
import { askGit } from '../workspace/git.ts';
import { openParseCache } from './parse-cache.ts';
import { readUserConfig } from './user-config.ts';
import type { Places } from './workspace-session.ts';

/** The repository that may bring toolchains of its own. */
export interface CatalogOwner {
  rootDir: string;
  specFile?: string | undefined;
}

/**
 * All toolchains there are for a repository: its own catalogs first, then those of the caller's configuration, then what
 * comes with gbuild. A git address is cloned once; `fresh` clones it again.
 */
export async function openCatalog(
  { host, installDir }: Places,
  progress: Progress,
  owner?: CatalogOwner,
  { fresh = false } = {},
): Promise<Catalog> {
  const cache = openParseCache(host.cacheDir);
  const open = async (places: string[]) => {
    const folders: string[] = [];
    for (const place of places)
      folders.push(isAbsolute(place) ? place : await ensureClone(place, host, progress, fresh));
    return folders;
  };
  const own = await open(await readOwnPlaces(owner));
  const callers = await open((await readUserConfig(host)).catalogs);
  const untrusted = own.filter((folder) => !callers.includes(folder));
  const keep: KeepParsed = (kind, bytes, parse) => cache.get(kind, bytes, parse);
  return readCatalog([...own, ...callers, join(installDir, 'images')], keep, untrusted);
}

/** What the spec names under `catalogs`, before the spec itself can be checked: its tasks may need those of a toolchain. */
async function readOwnPlaces({ rootDir, specFile }: Partial<CatalogOwner> = {}): Promise<string[]> {
  if (rootDir === undefined || specFile === undefined) return [];
  const text = readTextIfAny(specFile);
  if (text === undefined || !/^["']?catalogs["']?\s*:/m.test(text)) return [];
  const { parseCatalogPlaces } = await import('../spec/catalog-places.ts');
  return parseCatalogPlaces(text).map((place) => (isAddress(place) ? place : join(rootDir, place)));
}

function isAddress(place: string): boolean {
  return /^\w+:\/\/|^[\w.-]+@[\w.-]+:/.test(place);
}

const treeFormat = 'catalog-tree 1';

/**
 * The folder with what is at a git address, without its history. A digest of its files lies beside it, written last: a clone
 * that was killed, or whose files are not those that came, is cloned again.
 */
async function ensureClone(place: string, host: Host, progress: Progress, fresh: boolean): Promise<string> {
  const [address = place, ref] = place.split(/#(?=[^#]*$)/);
  const hostDir = join(host.cacheDir, 'catalogs', createHash('sha256').update(place).digest('hex').slice(0, 16));
  const treeFile = `${hostDir}.tree`;
  if (!fresh && isWhole(hostDir, treeFile)) return hostDir;
  progress.note(`fetching the toolchain catalog ${withoutPassword(place)}`);
  const beside = `${hostDir}.${process.pid}`;
  mkdirSync(join(host.cacheDir, 'catalogs'), { recursive: true });
  try {
    const which = ref === undefined ? [] : ['--branch', ref];
    const args = ['clone', '--quiet', '--depth', '1', ...which, '--', address, beside];
    const { exitCode, stderr } = await askGit(host.homeDir, args, host.env);
    if (exitCode !== 0) throw cannotFetch(place, stderr);
    rmSync(join(beside, '.git'), { recursive: true, force: true });
    removeAny(hostDir);
    renameSync(beside, hostDir);
    writeCached(treeFile, treeFormat, digestTree(hostDir));
    return hostDir;
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

function isWhole(hostDir: string, treeFile: string): boolean {
  const expected = readCached(treeFile, treeFormat);
  try {
    return expected !== undefined && expected === digestTree(hostDir);
  } catch {
    return false;
  }
}

/** A digest over paths, kinds and contents, one file in memory at a time. */
function digestTree(hostDir: string): string {
  const hash = createHash('sha256');
  const items = readdirSync(hostDir, { recursive: true, withFileTypes: true }).map((item) => ({
    item,
    path: join(item.parentPath, item.name),
  }));
  for (const { item, path } of items.sort((left, right) => (left.path < right.path ? -1 : 1))) {
    const content = contentOf(item, path);
    const isProgram = item.isFile() && (lstatSync(path).mode & 0o111) !== 0;
    const kind = item.isDirectory() ? 'folder' : item.isSymbolicLink() ? 'link' : isProgram ? 'program' : 'file';
    hash.update(`${JSON.stringify([relative(hostDir, path), kind, content.length])}\n`).update(content);
  }
  return hash.digest('hex');
}

function contentOf(item: Dirent, path: string): Buffer {
  if (item.isFile()) return readFileSync(path);
  return Buffer.from(item.isSymbolicLink() ? readlinkSync(path) : '');
}

function cannotFetch(place: string, stderr: string): GbuildError {
  const shown = withoutPassword(place);
  const why = withoutPassword(stderr.trim().split('\n').slice(-3).join('\n  '));
  return new GbuildError('network-failed', `the toolchain catalog ${shown} cannot be fetched:\n  ${why}`, {
    suggestions: [`git ls-remote ${withoutPassword(place.replace(/#.*/, ''))}`, 'gbuild doctor'],
    facts: { place: shown },
  });
}

function withoutPassword(text: string): string {
  return text.replaceAll(/(\w+:\/\/)[^/@\s]+@/g, '$1');
}

function readTextIfAny(file: string): string | undefined {
  try {
    return readBounded(file).toString();
  } catch {
    return undefined;
  }
}
