import { statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { type ErrorCode, messageOf } from '../../errors.ts';
import { readTextIfAny } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import type { CatalogReference } from '../../spec/config/catalog-entries.ts';
import { type Catalog, type KeepParsed, readCatalog } from '../../toolchain/catalog/catalog.ts';
import { ensureClone } from './catalog-clone.ts';
import type { AppContext } from './context.ts';
import { openParseCache } from './parse-cache.ts';
import { readUserConfig, userConfigFile } from './user-config.ts';

/** Repository that may have its own toolchain catalogs. */
export interface CatalogOwner {
  rootDir: string;
  specFile?: string | undefined;
}

/**
 * Opens the catalogs for a repository: its own first, then those of the caller's configuration, then gbuild's. A git
 * address is cloned once; `fresh` clones it again.
 */
export async function openCatalog(
  { host, installDir, progress }: AppContext,
  owner?: CatalogOwner,
  { fresh = false } = {},
): Promise<Catalog> {
  const cache = openParseCache({ host, installDir });
  const open = async (entries: NamedCatalog[]) => {
    const folders: string[] = [];
    for (const entry of entries)
      folders.push(await (isAddress(entry.at) ? ensureClone(entry.at, host, progress, fresh) : assertFolder(entry)));
    return folders;
  };
  const own = await open(await readOwnCatalogs(owner));
  const callers = await open(await readCallersCatalogs(host));
  const untrusted = own.filter((folder) => !callers.includes(folder));
  const keep: KeepParsed = (kind, bytes, parse) => cache.get(kind, bytes, parse);
  return readCatalog([...own, ...callers, join(installDir, 'images')], keep, untrusted);
}

/** Folder or git address that a file lists under `catalogs`. */
interface NamedCatalog {
  /** Absolute folder, or address. */
  at: string;
  file: string;
  /** Position in the file's list. */
  index: number;
  /** Code of an error about the file's content. */
  code: ErrorCode;
}

/** Reads `catalogs` before the spec is checked: the spec's tasks may need a toolchain's tasks. */
async function readOwnCatalogs({ rootDir, specFile }: Partial<CatalogOwner> = {}): Promise<NamedCatalog[]> {
  if (rootDir === undefined || specFile === undefined) return [];
  const entries = (await readEntries(specFile)).map(({ text }, index): NamedCatalog => {
    const at = isAddress(text) || isAbsolute(text) ? text : join(rootDir, text);
    return { at, file: specFile, index, code: 'spec-invalid' };
  });
  // A folder outside of the repository is left out here: the check of the whole spec refuses it.
  return entries.filter(({ at }) => isAddress(at) || !relative(rootDir, at).startsWith('..'));
}

async function readCallersCatalogs(host: Host): Promise<NamedCatalog[]> {
  const file = userConfigFile(host);
  return (await readUserConfig(host)).catalogs.map((at, index) => ({ at, file, index, code: 'config-invalid' }));
}

/** Runs the parser only where the key occurs: it costs more than the rest of the command. */
async function readEntries(file: string): Promise<CatalogReference[]> {
  const text = readTextIfAny(file);
  if (text === undefined || !/^["']?catalogs["']?\s*:/m.test(text)) return [];
  const { parseCatalogEntries } = await import('../../spec/config/catalog-entries.ts');
  return parseCatalogEntries(Buffer.from(text), file);
}

async function assertFolder({ at, file, index, code }: NamedCatalog): Promise<string> {
  const found = describePath(at);
  if (found === 'a folder') return at;
  throw (await readEntries(file))[index]!.refuse(code, {
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

function isAddress(text: string): boolean {
  return /^\w+:\/\/|^[\w.-]+@[\w.-]+:/.test(text);
}
