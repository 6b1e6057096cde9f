import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { formatTail } from '../../escape.ts';
import { readCached, writeCached } from '../../fs/cached-file.ts';
import { readPieces } from '../../fs/read-bounded.ts';
import { removeAny } from '../../fs/replace-file.ts';
import { makeMark } from '../../fs/writer-mark.ts';
import type { Host } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import { cloneByGit } from '../../workspace/git/git.ts';

const treeFormat = 'catalog-tree 1';

/**
 * Ensures a folder with the files of a git address, without history. A digest of the files is written next to it, last.
 * An interrupted clone, or one whose files have changed, is cloned again.
 */
export async function ensureClone(place: string, host: Host, progress: Progress, fresh: boolean): Promise<string> {
  const [address = place, ref] = place.split(/#(?=[^#]*$)/);
  const hostDir = join(host.cacheDir, 'catalogs', createHash('sha256').update(place).digest('hex').slice(0, 16));
  const treeFile = `${hostDir}.tree`;
  if (!fresh && isWhole(hostDir, treeFile)) return hostDir;
  progress.note(`fetching the toolchain catalog ${withoutPassword(place)}`);
  const temporary = `${hostDir}.tmp-${makeMark()}`;
  mkdirSync(join(host.cacheDir, 'catalogs'), { recursive: true });
  try {
    const which = ref === undefined ? [] : ['--branch', ref];
    const args = ['--quiet', '--depth', '1', ...which, '--', address, temporary];
    const { exitCode, stderr } = await cloneByGit(args, host.homeDir, host.env);
    if (exitCode !== 0) throw cannotFetch(place, stderr);
    rmSync(join(temporary, '.git'), { recursive: true, force: true });
    removeAny(hostDir);
    renameSync(temporary, hostDir);
    writeCached(treeFile, treeFormat, digestTree(hostDir));
    return hostDir;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
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

/** Computes a digest over paths, kinds and contents, in constant memory. */
function digestTree(hostDir: string): string {
  const hash = createHash('sha256');
  const items = readdirSync(hostDir, { recursive: true, withFileTypes: true }).map((item) => ({
    item,
    path: join(item.parentPath, item.name),
  }));
  for (const { item, path } of items.sort((left, right) => (left.path < right.path ? -1 : 1))) {
    const { mode, size } = lstatSync(path);
    const isProgram = item.isFile() && (mode & 0o111) !== 0;
    const kind = item.isDirectory() ? 'folder' : item.isSymbolicLink() ? 'link' : isProgram ? 'program' : 'file';
    hash.update(`${JSON.stringify([relative(hostDir, path), kind, item.isDirectory() ? 0 : size])}\n`);
    if (item.isSymbolicLink()) hash.update(readlinkSync(path));
    else if (item.isFile()) for (const piece of readPieces(path)) hash.update(piece);
  }
  return hash.digest('hex');
}

function cannotFetch(place: string, stderr: string): GbuildError {
  const shown = withoutPassword(place);
  const why = withoutPassword(formatTail(stderr.trim().split('\n').slice(-3)));
  return new GbuildError('network-failed', `the toolchain catalog ${shown} cannot be fetched:${why}`, {
    suggestions: [`git ls-remote ${withoutPassword(place.replace(/#.*/, ''))}`, 'gbuild doctor'],
    facts: { place: shown },
  });
}

function withoutPassword(text: string): string {
  return text.replaceAll(/(\w+:\/\/)[^/@\s]+@/g, '$1');
}
