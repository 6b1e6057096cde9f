import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { type ErrorCode, GbuildError, messageOf } from '../errors.ts';
import { readTextIfAny } from '../fs/read-bounded.ts';
import type { Host } from '../host.ts';
import type { Progress } from '../reporter/progress.ts';
import type { CatalogPlace } from '../spec/catalog-places.ts';
import { type Catalog, type KeepParsed, readCatalog } from '../toolchain/catalog.ts';
import { cloneByGit } from '../workspace/git.ts';
import { openParseCache } from './parse-cache.ts';
import { readUserConfig, userConfigFile } from './user-config.ts';
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
  const open = async (places: NamedPlace[]) => {
    const folders: string[] = [];
    for (const place of places)
      folders.push(await (isAddress(place.at) ? ensureClone(place.at, host, progress, fresh) : assertFolder(place)));
    return folders;
  };
  const own = await open(await readOwnPlaces(owner));
  const callers = await open(await readCallersPlaces(host));
  const untrusted = own.filter((folder) => !callers.includes(folder));
  const keep: KeepParsed = (kind, bytes, parse) => cache.get(kind, bytes, parse);
  return readCatalog([...own, ...callers, join(installDir, 'images')], keep, untrusted);
}

/** A folder or git address that a file names under `catalogs`. */
interface NamedPlace {
  /** An absolute folder, or an address. */
  at: string;
  file: string;
  /** Its position in the file's list. */
  index: number;
  /** Of an error about what the file says. */
  code: ErrorCode;
}

/** What the spec names under `catalogs`, before the spec itself can be checked: its tasks may need those of a toolchain. */
async function readOwnPlaces({ rootDir, specFile }: Partial<CatalogOwner> = {}): Promise<NamedPlace[]> {
  if (rootDir === undefined || specFile === undefined) return [];
  const places = (await readPlaces(specFile)).map(({ place }, index): NamedPlace => {
    const at = isAddress(place) || isAbsolute(place) ? place : join(rootDir, place);
    return { at, file: specFile, index, code: 'spec-invalid' };
  });
  // What leads out of the repository is no folder of it: reading the whole spec refuses that.
  return places.filter(({ at }) => isAddress(at) || !relative(rootDir, at).startsWith('..'));
}

async function readCallersPlaces(host: Host): Promise<NamedPlace[]> {
  const file = userConfigFile(host);
  return (await readUserConfig(host)).catalogs.map((at, index) => ({ at, file, index, code: 'config-invalid' }));
}

/** Read with the parser only where the key stands, for it costs more than the rest of the command. */
async function readPlaces(file: string): Promise<CatalogPlace[]> {
  const text = readTextIfAny(file);
  if (text === undefined || !/^["']?catalogs["']?\s*:/m.test(text)) return [];
  const { parseCatalogPlaces } = await import('../spec/catalog-places.ts');
  return parseCatalogPlaces(Buffer.from(text), file);
}

async function assertFolder({ at, file, index, code }: NamedPlace): Promise<string> {
  const found = describePath(at);
  if (found === 'a folder') return at;
  throw (await readPlaces(file))[index]!.refuse(code, {
    expected: 'a folder with toolchains',
    why: `which is ${found}`,
    suggestions: [`correct catalogs[${index}] in ${file}`, `ls ${dirname(file)}`],
  });
}

function describePath(path: string): string {
  try {
    return statSync(path).isDirectory() ? 'a folder' : 'not a folder';
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'not there' : `not readable (${messageOf(cause)})`;
  }
}

function isAddress(place: string): boolean {
  return /^\w+:\/\/|^[\w.-]+@[\w.-]+:/.test(place);
}

/** The folder with what is at a git address; made whole beside and renamed, so that a killed clone is cloned again. */
async function ensureClone(place: string, host: Host, progress: Progress, fresh: boolean): Promise<string> {
  const [address = place, ref] = place.split(/#(?=[^#]*$)/);
  const hostDir = join(host.cacheDir, 'catalogs', createHash('sha256').update(place).digest('hex').slice(0, 16));
  if (existsSync(hostDir) && !fresh) return hostDir;
  progress.note(`fetching the toolchain catalog ${withoutPassword(place)}`);
  const beside = `${hostDir}.${process.pid}`;
  mkdirSync(join(host.cacheDir, 'catalogs'), { recursive: true });
  try {
    const which = ref === undefined ? [] : ['--branch', ref];
    const args = ['--quiet', '--depth', '1', ...which, '--', address, beside];
    const { exitCode, stderr } = await cloneByGit(args, host.homeDir, host.env);
    if (exitCode !== 0) throw cannotFetch(place, stderr);
    rmSync(hostDir, { recursive: true, force: true });
    renameSync(beside, hostDir);
    return hostDir;
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
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
