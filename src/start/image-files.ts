import { closeSync, constants, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { type ByteRange, rangeOfBytes } from '../attest/packages/zip.ts';
import type { PlacedFile } from '../inspect/image-tree.ts';
import type { Content, Entry } from '../oci/tar/entry.ts';

/** File at a path of an image with links resolved; absolute. */
export interface FoundFile {
  path: string;
  type: 'file' | 'directory' | 'other';
  mode: number;
  uid: number;
  gid: number;
  open(): ByteRange;
}

/** Reason why a path leads nowhere. */
export interface Lost {
  /** First missing path, or the folder without permission. Absolute, with links resolved. */
  path: string;
  why: 'missing' | 'denied';
  /** Link whose target is missing. */
  link?: { path: string; target: string };
}

/** User of a container. */
export interface ImageUser {
  uid: number;
  gids: ReadonlySet<number>;
}

const root: ImageUser = { uid: 0, gids: new Set([0]) };

type Node = (Omit<FoundFile, 'path'> & { target?: never }) | { target: string };

/** Limit of the kernel. */
const mostLinks = 40;

/** Files that a container of an image sees: the base's, with the application's entries on top. */
export class ImageFiles {
  readonly #base: ReadonlyMap<string, PlacedFile>;
  readonly #entries: ReadonlyMap<string, Entry>;
  /** Folders without their own entries: those above the application's paths, and above the base's. */
  readonly #above: ReadonlySet<string>;
  #aboveBase: ReadonlySet<string> | undefined;

  constructor(base: ReadonlyMap<string, PlacedFile>, entries: ReadonlyMap<string, Entry>) {
    this.#base = base;
    this.#entries = entries;
    this.#above = listAbove(entries.keys());
  }

  /** Finds a path and follows links, as the kernel does for this user; `from` is the folder of relative paths. */
  find(path: string, { from = '/', user = root }: { from?: string; user?: ImageUser } = {}): FoundFile | Lost {
    const left = splitPath(posix.isAbsolute(path) ? path : `${from}/${path}`);
    let at = '';
    // Each link with the length of the path after its target: it is blamed only for a fault of its target.
    const links: { link: NonNullable<Lost['link']>; after: number }[] = [];
    const lose = (lost: string): Lost => {
      const blamed = links.findLast(({ after }) => left.length >= after);
      return { path: `/${lost}`, why: 'missing', ...(blamed !== undefined && { link: blamed.link }) };
    };
    while (left.length > 0) {
      const name = left.shift()!;
      if (name === '..') {
        at = posix.dirname(`/${at}`).slice(1);
        continue;
      }
      const next = at === '' ? name : `${at}/${name}`;
      const node = this.#look(next);
      if (node === undefined || links.length > mostLinks) return lose(next);
      if (node.target !== undefined) {
        links.push({ link: { path: `/${next}`, target: node.target }, after: left.length });
        if (posix.isAbsolute(node.target)) at = '';
        left.unshift(...splitPath(node.target));
        continue;
      }
      if (left.length > 0 && node.type !== 'directory') return lose(`${next}/${left.join('/')}`);
      if (left.length > 0 && !mayExecute(node, user)) return { path: `/${next}`, why: 'denied' };
      at = next;
    }
    const node = this.#look(at) as FoundFile | undefined;
    return { ...(node ?? folder), path: `/${at}` };
  }

  /** Finds a path where only a file is accepted. */
  findFile(path: string, options: { from?: string; user?: ImageUser } = {}): FoundFile | undefined {
    const found = this.find(path, options);
    return !isLostFile(found) && found.type === 'file' ? found : undefined;
  }

  /** Reads a small text; undefined where there is no file. */
  readText(path: string, options: { from?: string } = {}): string | undefined {
    const file = this.findFile(path, options);
    return file?.open().read(0, mostText).toString('utf8');
  }

  /** Lists the names in a folder, with links to it followed. */
  list(path: string): string[] {
    const found = this.find(path);
    if (isLostFile(found) || found.type !== 'directory') return [];
    const before = found.path === '/' ? '' : `${found.path.slice(1)}/`;
    const names = new Set<string>();
    for (const keys of [this.#base.keys(), this.#entries.keys()])
      for (const key of keys) if (key.startsWith(before)) names.add(key.slice(before.length).split('/', 1)[0]!);
    return [...names].filter((name) => this.#look(before + name) !== undefined).sort();
  }

  /** Lists paths of the application's own files with this name. */
  listNamed(name: string): string[] {
    return [...this.#entries.keys()].filter((path) => posix.basename(path) === name).map((path) => `/${path}`);
  }

  #look(path: string): Node | undefined {
    const entry = this.#entries.get(path);
    if (entry !== undefined) return describeEntry(entry);
    if (path === '' || this.#above.has(path)) return folder;
    const file = this.#base.get(path);
    if (file !== undefined) return describeFile(file);
    this.#aboveBase ??= listAbove(this.#base.keys());
    return this.#aboveBase.has(path) ? folder : undefined;
  }
}

export function isLostFile(found: FoundFile | Lost): found is Lost {
  return 'why' in found;
}

/** Whether the user may execute the file; root may execute what anyone may. */
export function mayExecute(file: Pick<FoundFile, 'type' | 'mode' | 'uid' | 'gid'>, user: ImageUser): boolean {
  if (user.uid === 0) return file.type === 'directory' || (file.mode & 0o111) !== 0;
  return (file.mode & (0o100 >> shiftOf(file, user))) !== 0;
}

export function mayRead(file: FoundFile, user: ImageUser): boolean {
  return user.uid === 0 || (file.mode & (0o400 >> shiftOf(file, user))) !== 0;
}

function shiftOf({ uid, gid }: Pick<FoundFile, 'uid' | 'gid'>, user: ImageUser): number {
  if (uid === user.uid) return 0;
  return user.gids.has(gid) ? 3 : 6;
}

const mostText = 4 << 20;

const folder: Omit<FoundFile, 'path'> = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  open: () => rangeOfBytes(Buffer.alloc(0)),
};

function describeEntry(entry: Entry): Node {
  if (entry.type === 'symlink') return { target: entry.target };
  if (entry.type === 'directory') return folder;
  const { content, executable } = entry;
  const mode = executable ? 0o755 : 0o644;
  return { type: 'file', mode, uid: 0, gid: 0, open: () => openContent(content) };
}

function describeFile({ type, mode, uid, gid, size, offset, layer, linkTarget }: PlacedFile): Node {
  if (type === 'symlink') return { target: linkTarget ?? '' };
  const kind = type === 'file' || type === 'directory' ? type : 'other';
  const open = () =>
    layer.hostFile === undefined ? rangeOfBytes(Buffer.alloc(0)) : rangeOfSlice(layer.hostFile, offset, size);
  return { type: kind, mode, uid, gid, open };
}

function openContent(content: Content): ByteRange {
  return 'bytes' in content
    ? rangeOfBytes(Buffer.from(content.bytes))
    : rangeOfSlice(content.hostFile, 0, content.size);
}

/** A link or a fifo in the file's place is neither followed nor waited for. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

function rangeOfSlice(hostFile: string, start: number, size: number): ByteRange {
  const read = (offset: number, length: number) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
    const file = openSync(hostFile, flags);
    try {
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start + offset));
    } finally {
      closeSync(file);
    }
  };
  return { size, read };
}

function splitPath(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function listAbove(paths: Iterable<string>): Set<string> {
  const above = new Set<string>();
  for (const path of paths)
    for (
      let end = path.lastIndexOf('/');
      end > 0 && !above.has(path.slice(0, end));
      end = path.lastIndexOf('/', end - 1)
    )
      above.add(path.slice(0, end));
  return above;
}
