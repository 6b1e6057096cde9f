import { posix } from 'node:path';
import { compareBytes } from '../tar/arrange.ts';
import type { Entry } from '../tar/entry.ts';
import type { TarItem } from '../tar/tar.ts';
import { constantTime, type Layer, layerOfItems } from './layer.ts';

/** Owner and permissions of a folder. */
export interface Access {
  uid: number;
  gid: number;
  mode: number;
}

export interface OwnedOptions {
  uid: number;
  gid: number;
  /**
   * Folders above, as the layers below have them: a layer's entry for a folder counts, and an engine makes up missing
   * folders.
   */
  parents: ReadonlyMap<string, Access>;
  createdBy: string;
}

/**
 * Packs a layer whose folders, with everything below them, belong to one user. The folders exist even without entries.
 */
export function packOwned(folders: readonly string[], entries: readonly Entry[], options: OwnedOptions): Layer {
  const { uid, gid, parents, createdBy } = options;
  const all = new Map<string, Entry>();
  for (const path of folders) all.set(path, { path, type: 'directory' });
  for (const entry of entries) all.set(entry.path, entry);
  for (const path of [...all.keys()])
    for (const parent of listParents(path)) if (!all.has(parent)) all.set(parent, { path: parent, type: 'directory' });
  const sorted = [...all.values()].sort((a, b) => compareBytes(a.path, b.path));
  const isOwn = (path: string) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  const list = () =>
    sorted.map((entry) =>
      itemOf(entry, isOwn(entry.path) ? { uid, gid, mode: 0o755 } : (parents.get(entry.path) ?? rootOnly)),
    );
  const expected = sorted.reduce((sum, entry) => sum + 512 + (entry.type === 'file' ? entry.content.size : 0), 0);
  return layerOfItems(list, { expected, createdBy });
}

const rootOnly: Access = { uid: 0, gid: 0, mode: 0o755 };

/** Lists the parents of a path: `a` and `a/b` for `a/b/c`. */
export function listParents(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === '.' ? [] : [...listParents(parent), parent];
}

function itemOf(entry: Entry, { uid, gid, mode }: Access): TarItem {
  const common = { path: entry.path, uid, gid, mtime: constantTime, size: 0 };
  if (entry.type === 'symlink')
    return { header: { ...common, type: 'symlink', mode: 0o777, linkTarget: entry.target } };
  if (entry.type === 'directory') return { header: { ...common, type: 'directory', mode } };
  const { content, executable } = entry;
  return { header: { ...common, type: 'file', mode: executable ? 0o755 : 0o644, size: content.size }, content };
}
