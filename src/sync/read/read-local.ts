import { lstatSync, readdirSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import picomatch from 'picomatch';
import { GbuildError, messageOf } from '../../errors.ts';
import { judgeGitPath } from '../../workspace/git/git-folder.ts';
import { unknownFingerprint } from '../../workspace/unknown-fingerprint.ts';
import type { SyncSnapshot } from '../state/sync-snapshot.ts';
import { RealFolders } from '../tree/real-folders.ts';
import { folderOf, isGits, type Node, type Tree } from '../tree/tree.ts';

/** Prefix of staging folders. These and gbuild's other own files are no part of a workspace. */
export const stagingPrefix = '.gbuild-incoming-';
const ownNames = /^\.gbuild-(incoming|probe)-/;

/** Milliseconds of reading between two turns of the event loop. */
const mostBreath = 10;

export interface ReadLocalInput {
  rootDir: string;
  /** Paths that git ignores; a folder means everything in it. */
  ignored: ReadonlySet<string>;
  /** Globs of ignored paths that are sent nevertheless. */
  include: readonly string[];
  /** Time of the file system before the read, in milliseconds: a file that changed since may change again unnoticed. */
  clock: number;
  /** Snapshot whose `local` is filled and returned. */
  remembered?: Pick<SyncSnapshot, 'local' | 'note'>;
  /** Links that are read as the folders behind them. */
  links?: ReadonlySet<string> | undefined;
  /** Returns the link that replaces a `.git` file: the file names a path of this machine. */
  gitLink?: ((path: string) => string | undefined) | undefined;
}

/**
 * Reads all paths for which this side is authoritative, with turns for the event loop. Throws `workspace-unreadable`
 * for unreadable files and for names that are not UTF-8.
 */
export async function readSources(input: ReadLocalInput): Promise<Tree> {
  const { rootDir, ignored, include, clock, remembered, links, gitLink } = input;
  const tree: Tree = remembered?.local ?? new Map();
  const has = (path: string) => tree.has(path);
  const isIncluded = include.length > 0 ? picomatch([...include], { dot: true }) : undefined;
  const breathe = breather();
  const walk = async (folder: string, isIgnored: boolean) => {
    await breathe();
    for (const name of listNames(folder === '' ? rootDir : `${rootDir}/${folder}`)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (ownNames.test(name) || (name.endsWith('.lock') && isGits(path))) continue;
      const isOut = isIgnored || ignored.has(path);
      if (isOut && isIncluded === undefined) continue;
      const hostPath = `${rootDir}/${path}`;
      const stats = links?.has(path) ? statSync(hostPath, { throwIfNoEntry: false }) : readStats(hostPath);
      if (stats === undefined) continue;
      const target = name === '.git' && stats.isFile() ? gitLink?.(path) : undefined;
      if (target !== undefined) {
        tree.set(path, { kind: 'symlink', mode: 0o777, size: 0, fingerprint: target, target, mtime: stats.mtimeMs });
        continue;
      }
      if (!isOut && stats.isFile() && remembered?.note(path, 'file', fingerprintOf(stats, clock))) continue;
      const node = nodeOf(hostPath, stats, clock);
      if (node.kind === 'other') continue;
      if (!isOut) {
        if (node.kind !== 'directory' || !remembered?.note(path, 'directory', node.fingerprint)) tree.set(path, node);
      } else if (isIncluded?.(path)) addWithFolders(tree, rootDir, path, node);
      if (node.kind === 'directory') await walk(path, isOut);
    }
  };
  await walk('', false);
  for (const path of tree.keys()) if (isGits(path) && judgeGitPath(path, has) === 'stays') tree.delete(path);
  return tree;
}

/** Returns a function for frequent calls that yields to the event loop from time to time. */
function breather(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < mostBreath) return undefined;
    return setImmediate().then(() => {
      last = performance.now();
    });
  };
}

/** Adds the outputs that came back from the engine before and still exist. Returns them. */
export function addBaseOutputs({
  rootDir,
  clock,
  remembered,
}: Pick<ReadLocalInput, 'rootDir' | 'clock'> & { remembered: SyncSnapshot }): ReadonlySet<string> {
  const { local, base } = remembered;
  const outputs = new Set<string>();
  const folders = new RealFolders(rootDir);
  for (const path of remembered.loose()) {
    if (!base.has(path) || local.has(path) || !folders.has(folderOf(path))) continue;
    const node = readNode(`${rootDir}/${path}`, clock);
    if (node === undefined) continue;
    if (node.kind !== 'file' || !remembered.note(path, 'file', node.fingerprint)) local.set(path, node);
    outputs.add(path);
  }
  return outputs;
}

function addWithFolders(tree: Tree, rootDir: string, path: string, node: Node): void {
  const folder = folderOf(path);
  const above = folder === '' || tree.has(folder) ? undefined : readNode(`${rootDir}/${folder}`);
  if (above !== undefined) addWithFolders(tree, rootDir, folder, above);
  tree.set(path, node);
}

/** Reads a node; undefined for a missing path. The clock matters for a file's fingerprint only. */
export function readNode(hostPath: string, clock = Number.POSITIVE_INFINITY): Node | undefined {
  const stats = readStats(hostPath);
  return stats && nodeOf(hostPath, stats, clock);
}

function nodeOf(hostPath: string, stats: Stats, clock: number): Node {
  const { mtimeMs, size } = stats;
  const kind = kindOf(stats);
  const mode = stats.mode & 0o777;
  if (kind === 'directory') return { kind, mode, size, fingerprint: mode.toString(8), mtime: mtimeMs };
  if (kind === 'symlink') {
    const target = readlinkSync(hostPath);
    return { kind, mode, size, fingerprint: target, mtime: mtimeMs, target };
  }
  return { kind, mode, size, fingerprint: fingerprintOf(stats, clock), mtime: mtimeMs };
}

/** Computes the fingerprint of a file. */
function fingerprintOf({ mode, size, mtimeMs, ctimeMs, ino }: Stats, clock: number): string {
  return ctimeMs >= clock ? unknownFingerprint : `${mode & 0o777} ${size} ${mtimeMs} ${ctimeMs} ${ino}`;
}

function kindOf(stats: Stats): Node['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}

function readStats(hostPath: string): Stats | undefined {
  try {
    return lstatSync(hostPath, { throwIfNoEntry: false });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw unreadable(hostPath, cause);
  }
}

function listNames(hostDir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(hostDir);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(hostDir, cause);
  }
  const broken = names.find((name) => name.includes('\ufffd'));
  if (broken !== undefined) throw notUtf8(hostDir, broken);
  return names;
}

function unreadable(hostPath: string, cause: unknown): GbuildError {
  return new GbuildError(
    'workspace-unreadable',
    `${JSON.stringify(hostPath)} cannot be read, so it cannot be sent to the engine: ${messageOf(cause)}`,
    { cause, suggestions: [`chmod u+rX ${JSON.stringify(hostPath)}`], facts: { path: hostPath } },
  );
}

function notUtf8(hostDir: string, name: string): GbuildError {
  return new GbuildError(
    'workspace-unreadable',
    `the name ${JSON.stringify(name)} in ${JSON.stringify(hostDir)} is not UTF-8, so it cannot be sent to the engine`,
    { suggestions: ['rename it, or list it in .gitignore'], facts: { path: hostDir } },
  );
}
