import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readCached, writeCached } from '../../fs/cached-file.ts';
import { removeAny, replaceFile } from '../../fs/replace-file.ts';
import type { SyncBase, Tree } from '../tree/tree.ts';
import { formatBlock, parseBlocks } from './blocks.ts';
import { faceOf, memoriesDir } from './memory-files.ts';
import { RecordMap } from './path-table.ts';
import { writeRecord } from './records.ts';
import { SyncSnapshot } from './sync-snapshot.ts';

const version = 'gbuild-mirror-6\0';
const markerFormat = 'mirror-stamp 1';
const lastFormat = 'mirror-last 1';

/** Records of a block, where all are written. */
const mostOfBlock = 5_000;

/** The file is written anew when it holds so many records more than paths. */
const mostSuperseded = (paths: number) => 1000 + paths / 4;

/**
 * Memory of one volume on this machine. It never decides alone: a path counts as alike only while both sides still
 * look as they did, so a memory that is old, or of a volume that was made anew, costs time and nothing else. How the volume looks
 * is remembered too, and good for one run: a clean marker on both sides says so, and is removed before anything changes there.
 *
 * The file is a version that ends in NUL, then blocks of records, each with its digest (see formatBlock). A run that changes little
 * adds a block.
 */
export class SyncMemory {
  readonly #file: string;
  #id: string | undefined;
  /** How the file looked just before it was read. */
  #face = '';
  /** Content of the file, where it is whole. */
  #remembered: (Pick<SyncSnapshot, 'base' | 'remote'> & { records: number }) | undefined;

  private constructor(file: string) {
    this.#file = file;
  }

  /** `basis` is all that the volume's content depends on besides the workspace: engine, volume, who owns the files. */
  static of(cacheDir: string, basis: string[]): SyncMemory {
    const key = createHash('sha256').update(basis.join('\n')).digest('hex');
    return new SyncMemory(join(memoriesDir(cacheDir), key));
  }

  /** The one that was last used at a place, whatever that is. */
  static last(cacheDir: string, place: string): SyncMemory | undefined {
    const key = readCached(join(memoriesDir(cacheDir), `${place}.last`), lastFormat);
    return key === undefined ? undefined : new SyncMemory(join(memoriesDir(cacheDir), key));
  }

  /** Notes that it was used there. */
  noteLast(place: string): void {
    const file = join(dirname(this.#file), `${place}.last`);
    const key = basename(this.#file);
    if (readCached(file, lastFormat) !== key) writeCached(file, lastFormat, key);
  }

  isSame(other: SyncMemory): boolean {
    return this.#file === other.#file;
  }

  /** Empty where there is none; without its last blocks where one was not written to its end or is damaged. */
  read(): SyncSnapshot {
    this.#face = faceOf(this.#file);
    const bytes = readBytes(this.#file);
    if (!bytes.subarray(0, version.length).equals(Buffer.from(version))) return new SyncSnapshot('');
    const { id, records: text, isWhole } = parseBlocks(bytes, version.length);
    const remembered = new SyncSnapshot(text);
    let records = 0;
    for (let name = 0; name < text.length; records += 1) {
      const record = text.indexOf('\0', name) + 1;
      remembered.recall(text.slice(name, record - 1), record);
      name = text.indexOf('\0', record) + 1;
    }
    this.#id = id;
    const { base, remote } = remembered;
    if (isWhole) this.#remembered = { base, remote, records };
    return remembered;
  }

  /** Nobody has written since it was read: asked when the volume is held, for until then another run may have been at work there. */
  get isCurrent(): boolean {
    return this.#face === faceOf(this.#file);
  }

  write(base: SyncBase, remote: Tree): void {
    const added = this.#isOf(base, remote) ? this.#takeChanged() : undefined;
    if (added?.size === 0) return;
    const id = randomBytes(8).toString('hex');
    if (added === undefined) this.#writeAll(base, remote, id);
    else this.#append(added, id);
  }

  #writeAll(base: SyncBase, remote: Tree, id: string): void {
    const paths = [...new Set([...remote.keys(), ...base.keys()])];
    function* blocks() {
      yield version;
      for (let at = 0; at === 0 || at < paths.length; at += mostOfBlock)
        yield writeBlock(id, paths.slice(at, at + mostOfBlock), base, remote);
    }
    const isKept = tryReplace(this.#file, blocks());
    this.#id = isKept ? id : undefined;
    const isTracked = isKept && base instanceof RecordMap && remote instanceof RecordMap;
    this.#remembered = isTracked ? { base, remote, records: paths.length } : undefined;
    if (!isTracked) return;
    base.takeChanged();
    remote.takeChanged();
  }

  /** A memory that cannot be kept costs time, nothing else; an old one would do so too. */
  #append(paths: Set<string>, id: string): void {
    const { base, remote } = this.#remembered!;
    try {
      appendFileSync(this.#file, writeBlock(id, [...paths], base, remote));
      this.#id = id;
      this.#remembered!.records += paths.size;
    } catch {
      this.#id = undefined;
      this.#remembered = undefined;
    }
  }

  #isOf(base: SyncBase, remote: Tree): boolean {
    return this.#remembered?.base === base && this.#remembered.remote === remote;
  }

  /** The paths of a further block; undefined where the whole is to be written. */
  #takeChanged(): Set<string> | undefined {
    const { base, remote, records } = this.#remembered!;
    const changed = new Set([...remote.takeChanged(), ...base.takeChanged()]);
    const paths = remote.size;
    return records + changed.size - paths > mostSuperseded(paths) ? undefined : changed;
  }

  /** Takes the clean marker: the volume has the same one if nothing else changed it since the last write. There is none afterwards. */
  takeCleanMarker(): string | undefined {
    const file = `${this.#file}.stamp`;
    const [id, marker] = (readCached(file, markerFormat) ?? '').split(' ');
    removeAny(file);
    return id === this.#id && marker !== '' ? marker : undefined;
  }

  /** Keeps a clean marker: a volume that has it looks as was written last. */
  keepCleanMarker(marker: string): void {
    if (this.#id !== undefined) writeCached(`${this.#file}.stamp`, markerFormat, `${this.#id} ${marker}`);
  }
}

function writeBlock(id: string, paths: string[], base: SyncBase, remote: Tree): string {
  const parts = paths.flatMap((path) => [path, writeRecord(base.get(path), remote.get(path))]);
  return formatBlock(id, [...parts, ''].join('\0'));
}

/** False where that cannot be: a memory that is not kept costs time. */
function tryReplace(file: string, texts: Iterable<string>): boolean {
  try {
    replaceFile(file, texts, 0o600);
    return true;
  } catch {
    return false;
  }
}

/** None where there is no file. */
function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
