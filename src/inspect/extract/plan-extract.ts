import { escapeLine } from '../../escape.ts';
import { compareBytes, parentOf } from '../../oci/tar/arrange.ts';
import type { TarItem } from '../../oci/tar/tar.ts';
import type { PlacedFile } from '../image-tree.ts';
import { containLink } from './contain-link.ts';

/** Paths of an image to write, and those that cannot be written. */
export interface ExtractPlan {
  /** Folders, each after its parent. */
  folders: TarItem['header'][];
  /** Files, then hard links to them. */
  files: TarItem[];
  /** Links, written last, so that no path is written through a link. */
  links: PlannedLink[];
  skipped: SkippedPath[];
  /** Files whose privileges (setuid, setgid, capabilities) are not written. */
  withoutPrivileges: string[];
  /** Number of links that were made relative: see containLink. */
  relativeLinks: number;
  /** Size of all files in bytes, each hard link counted once. */
  bytes: number;
}

export type PlannedLink = TarItem['header'] & { linkTarget: string };

export interface SkippedPath {
  path: string;
  why: string;
}

type Tree = ReadonlyMap<string, PlacedFile>;

const newFolder = { type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, size: 0 } as const;
/** Limits of a name and of a link's target, in bytes: Linux's NAME_MAX, and PATH_MAX with its zero. */
const longestName = 255;
const longestTarget = 4095;
const setIdBits = 0o6000;
const largestId = 0xffff_fffe;
/** Latest time in seconds: the year 2242, which every file system can hold. */
const latestTime = 0o77777777777;

/**
 * Plans the writing of a tree, or of one path of it, so that nothing leads out of the destination folder. A path is
 * written once, its parents are folders, and links come last. Pure.
 */
export function planExtract(tree: Tree, path = ''): ExtractPlan {
  const skipped: SkippedPath[] = [];
  const chosen: PlacedFile[] = [];
  const folders = new Map<string, TarItem['header']>();
  for (const file of tree.values()) {
    if (path !== '' && file.path !== path && !file.path.startsWith(`${path}/`)) continue;
    const why = findObstacle(file, tree);
    if (why !== undefined) skipped.push({ path: file.path, why });
    else chosen.push(file);
  }
  for (const file of chosen) {
    if (file.type === 'directory') folders.set(file.path, headerOf(file));
    for (let above = parentOf(file.path); above !== '' && !folders.has(above); above = parentOf(above)) {
      const known = tree.get(above);
      folders.set(above, known === undefined ? { ...newFolder, path: above } : headerOf(known));
    }
  }
  return {
    folders: [...folders.values()].sort((a, b) => compareBytes(a.path, b.path)),
    ...planEntries(chosen, tree),
    skipped,
    withoutPrivileges: chosen.filter(hasPrivileges).map((file) => file.path),
  };
}

/** Explains why a path cannot be written safely; undefined where it can. */
function findObstacle(file: PlacedFile, tree: Tree): string | undefined {
  const { path, type, linkTarget = '' } = file;
  const names = path.split('/');
  if (names.includes('..')) return 'its name leads out of the image';
  if (names.includes('') || names.includes('.') || path.includes('\0')) return 'no file can have its name';
  if (names.some((name) => Buffer.byteLength(name) > longestName)) return 'its name is too long';
  if (names.some((name) => name.startsWith('.wh.'))) return 'a mark of a storage driver';
  for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
    const known = tree.get(above);
    if (known !== undefined && known.type !== 'directory') return `${escapeLine(above)} is not a folder`;
  }
  if (type === 'character' || type === 'block') return 'a device';
  if (type === 'fifo') return 'a named pipe';
  if (type === 'hardlink') return `a hard link to ${escapeLine(linkTarget)}, which the image does not have`;
  if (type === 'symlink' && (linkTarget === '' || linkTarget.includes('\0'))) return 'a link without a target';
  if (type === 'symlink' && Buffer.byteLength(linkTarget) > longestTarget) return 'a link whose target is too long';
  return undefined;
}

function planEntries(
  chosen: PlacedFile[],
  tree: Tree,
): Pick<ExtractPlan, 'files' | 'links' | 'relativeLinks' | 'bytes'> {
  const files: TarItem[] = [];
  const hardLinks: TarItem[] = [];
  const links: PlannedLink[] = [];
  const firstByContent = new Map<string, string>();
  let relativeLinks = 0;
  for (const file of chosen) {
    const header = headerOf(file);
    if (file.type === 'symlink') {
      const target = containLink(file.path, file.linkTarget!, tree);
      if (target !== file.linkTarget) relativeLinks += 1;
      links.push({ ...header, linkTarget: target });
    } else if (file.type === 'file') {
      const { layer, offset, size } = file;
      const first = firstByContent.get(`${layer.diffId} ${offset}`);
      if (first !== undefined) {
        hardLinks.push({ header: { ...header, type: 'hardlink', size: 0, linkTarget: first } });
        continue;
      }
      firstByContent.set(`${layer.diffId} ${offset}`, file.path);
      // Every opened image has its layers on disk: see withImage.
      if (layer.hostFile === undefined) throw new Error(`the layer ${layer.diffId} is not on disk`);
      files.push({ header, content: { hostFile: layer.hostFile, offset, size } });
    }
  }
  const bytes = files.reduce((sum, { header }) => sum + header.size, 0);
  return { files: [...files, ...hardLinks], links, relativeLinks, bytes };
}

function headerOf({ path, type, mode, uid, gid, mtime, size }: PlacedFile): TarItem['header'] {
  const time = Number.isFinite(mtime) ? Math.min(latestTime, Math.max(0, Math.floor(mtime))) : 0;
  return {
    path,
    type: type === 'whiteout' ? 'file' : type,
    mode: mode & (type === 'directory' ? 0o1777 : 0o777),
    uid: idOf(uid),
    gid: idOf(gid),
    mtime: time,
    size: type === 'file' ? size : 0,
  };
}

function idOf(id: number): number {
  return Number.isInteger(id) && id >= 0 && id <= largestId ? id : 0;
}

function hasPrivileges({ type, mode, attributes = {} }: PlacedFile): boolean {
  return type === 'file' && ((mode & setIdBits) !== 0 || 'security.capability' in attributes);
}
