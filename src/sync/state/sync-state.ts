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

/** Number of records in a block, in a complete write. */
const mostOfBlock = 5_000;

/** Number of superseded records above which the file is rewritten. */
const mostSuperseded = (paths: number) => 1000 + paths / 4;

/**
 * Record of one volume on this machine. It never decides alone: a path counts as equal only while both sides are in
 * their recorded states. An outdated record, or one of a recreated volume, only costs time. The volume's state is
 * recorded too, and valid for one run: a clean marker on both sides proves it, and is removed before any change.
 *
 * The file is a version that ends in NUL, then blocks of records, each with its digest (see formatBlock). A run with
 * few changes adds a block.
 */
export class SyncMemory {
  readonly #file: string;
  #id: string | undefined;
  /** State of the file just before it was read. */
  #face = '';
  /** Content of the file, where it is complete. */
  #remembered: (Pick<SyncSnapshot, 'base' | 'remote'> & { records: number }) | undefined;

  private constructor(file: string) {
    this.#file = file;
  }

  /**
   * Opens the record; `basis` is everything that decides the volume's content except for the workspace: engine, volume,
   * owner of the files.
   */
  static of(cacheDir: string, basis: string[]): SyncMemory {
    const key = createHash('sha256').update(basis.join('\n')).digest('hex');
    return new SyncMemory(join(memoriesDir(cacheDir), key));
  }

  /** Opens the record that was last used at a place. */
  static last(cacheDir: string, place: string): SyncMemory | undefined {
    const key = readCached(join(memoriesDir(cacheDir), `${place}.last`), lastFormat);
    return key === undefined ? undefined : new SyncMemory(join(memoriesDir(cacheDir), key));
  }

  /** Notes that it was used at that place. */
  noteLast(place: string): void {
    const file = join(dirname(this.#file), `${place}.last`);
    const key = basename(this.#file);
    if (readCached(file, lastFormat) !== key) writeCached(file, lastFormat, key);
  }

  isSame(other: SyncMemory): boolean {
    return this.#file === other.#file;
  }

  /** Reads the snapshot: empty without a file; without the last blocks where one is incomplete or damaged. */
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

  /**
   * Whether the file is unchanged since it was read. Checked when the lease is held, because another run may have used
   * the volume until then.
   */
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

  /** Appends a block. A record that cannot be written only costs time, as does an old one. */
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

  /** Returns the paths of a further block; undefined where the file must be rewritten. */
  #takeChanged(): Set<string> | undefined {
    const { base, remote, records } = this.#remembered!;
    const changed = new Set([...remote.takeChanged(), ...base.takeChanged()]);
    const paths = remote.size;
    return records + changed.size - paths > mostSuperseded(paths) ? undefined : changed;
  }

  /**
   * Takes the clean marker: the volume has the same one if nothing else changed it since the last write. It is removed.
   */
  takeCleanMarker(): string | undefined {
    const file = `${this.#file}.stamp`;
    const [id, marker] = (readCached(file, markerFormat) ?? '').split(' ');
    removeAny(file);
    return id === this.#id && marker !== '' ? marker : undefined;
  }

  /** Stores a clean marker: a volume with it is in the state of the last write. */
  keepCleanMarker(marker: string): void {
    if (this.#id !== undefined) writeCached(`${this.#file}.stamp`, markerFormat, `${this.#id} ${marker}`);
  }
}

function writeBlock(id: string, paths: string[], base: SyncBase, remote: Tree): string {
  const parts = paths.flatMap((path) => [path, writeRecord(base.get(path), remote.get(path))]);
  return formatBlock(id, [...parts, ''].join('\0'));
}

/** Replaces the file; false where that fails: a missing record only costs time. */
function tryReplace(file: string, texts: Iterable<string>): boolean {
  try {
    replaceFile(file, texts, 0o600);
    return true;
  } catch {
    return false;
  }
}

/** Reads the bytes; none without a file. */
function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
