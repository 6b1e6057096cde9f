import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { faceOf, memoriesDir, readText, replaceFile } from './memory-files.ts';
import { RecordMap } from './path-table.ts';
import { writeRecord } from './records.ts';
import { Remembered } from './remembered.ts';
import type { Mirror, Tree } from './tree.ts';

const version = 'gbuild-mirror-5\0';

/** Records of a block, where all are written. */
const mostOfBlock = 5_000;

/** The file is written anew when it holds so many records more than paths. */
const mostSuperseded = (paths: number) => 1000 + paths / 4;

/**
 * What this machine remembers of one volume. Of a path it never decides alone: that counts as alike only while both sides still
 * look as they did, so a memory that is old, or of a volume that was made anew, costs time and nothing else. How the volume looks
 * is remembered too, and good for one run: a stamp says so, that both have, and that goes before anything changes there.
 *
 * The file is of fields that end in NUL: a version, then blocks of an id, the length of the rest in UTF-16 units, and records. A run
 * that changes little adds a block.
 */
export class MirrorMemory {
  readonly #file: string;
  #id: string | undefined;
  /** How the file looked just before it was read. */
  #face = '';
  /** What the file says, where it is whole. */
  #remembered: (Pick<Remembered, 'mirror' | 'remote'> & { records: number }) | undefined;

  private constructor(file: string) {
    this.#file = file;
  }

  /** `ground` is all that the volume's content depends on besides the workspace: engine, volume, who owns the files. */
  static of(cacheDir: string, ground: string[]): MirrorMemory {
    const key = createHash('sha256').update(ground.join('\n')).digest('hex');
    return new MirrorMemory(join(memoriesDir(cacheDir), key));
  }

  /** The one that was last used at a place, whatever that is. */
  static last(cacheDir: string, place: string): MirrorMemory | undefined {
    const key = readText(join(memoriesDir(cacheDir), `${place}.last`));
    return /^[0-9a-f]{64}$/.test(key) ? new MirrorMemory(join(memoriesDir(cacheDir), key)) : undefined;
  }

  /** Notes that it was used there. */
  noteLast(place: string): void {
    const file = join(dirname(this.#file), `${place}.last`);
    const key = basename(this.#file);
    if (readText(file) !== key) replaceFile(file, [key]);
  }

  isSame(other: MirrorMemory): boolean {
    return this.#file === other.#file;
  }

  /** Empty where there is none, or it is damaged; without its last block where that was not written to its end. */
  read(): Remembered {
    this.#face = faceOf(this.#file);
    const text = readText(this.#file);
    const remembered = new Remembered(text);
    if (!text.startsWith(version)) return remembered;
    let [at, records] = [version.length, 0];
    for (let block = readBlock(text, at); block !== undefined; block = readBlock(text, at)) {
      for (let name = block.begin; name < block.end; records += 1) {
        const record = text.indexOf('\0', name) + 1;
        remembered.recall(text.slice(name, record - 1), record);
        name = text.indexOf('\0', record) + 1;
      }
      this.#id = block.id;
      at = block.end;
    }
    const { mirror, remote } = remembered;
    if (at === text.length) this.#remembered = { mirror, remote, records };
    return remembered;
  }

  /** Nobody has written since it was read: asked when the volume is held, for until then another run may have been at work there. */
  get isCurrent(): boolean {
    return this.#face === faceOf(this.#file);
  }

  write(mirror: Mirror, remote: Tree): void {
    const added = this.#isOf(mirror, remote) ? this.#takeChanged() : undefined;
    if (added?.size === 0) return;
    const id = randomBytes(8).toString('hex');
    if (added === undefined) this.#writeAll(mirror, remote, id);
    else this.#append(added, id);
  }

  #writeAll(mirror: Mirror, remote: Tree, id: string): void {
    const paths = [...new Set([...remote.keys(), ...mirror.keys()])];
    function* blocks() {
      yield version;
      for (let at = 0; at === 0 || at < paths.length; at += mostOfBlock)
        yield writeBlock(id, paths.slice(at, at + mostOfBlock), mirror, remote);
    }
    const isKept = replaceFile(this.#file, blocks());
    this.#id = isKept ? id : undefined;
    const isTracked = isKept && mirror instanceof RecordMap && remote instanceof RecordMap;
    this.#remembered = isTracked ? { mirror, remote, records: paths.length } : undefined;
    if (!isTracked) return;
    mirror.takeChanged();
    remote.takeChanged();
  }

  /** A memory that cannot be kept costs time, nothing else; an old one would do so too. */
  #append(paths: Set<string>, id: string): void {
    const { mirror, remote } = this.#remembered!;
    try {
      appendFileSync(this.#file, writeBlock(id, [...paths], mirror, remote));
      this.#id = id;
      this.#remembered!.records += paths.size;
    } catch {
      this.#id = undefined;
      this.#remembered = undefined;
    }
  }

  #isOf(mirror: Mirror, remote: Tree): boolean {
    return this.#remembered?.mirror === mirror && this.#remembered.remote === remote;
  }

  /** The paths of a further block; undefined where the whole is to be written. */
  #takeChanged(): Set<string> | undefined {
    const { mirror, remote, records } = this.#remembered!;
    const changed = new Set([...remote.takeChanged(), ...mirror.takeChanged()]);
    const paths = remote.size;
    return records + changed.size - paths > mostSuperseded(paths) ? undefined : changed;
  }

  /** The stamp that the volume bears if nothing else has changed it since what was read. There is none afterwards. */
  takeStamp(): string | undefined {
    const file = `${this.#file}.stamp`;
    const [id, stamp] = readText(file).split(' ');
    rmSync(file, { force: true });
    return id === this.#id && stamp !== '' ? stamp : undefined;
  }

  /** What was written last is how the volume looks that bears the stamp. */
  keepStamp(stamp: string): void {
    if (this.#id !== undefined) replaceFile(`${this.#file}.stamp`, [`${this.#id} ${stamp}`]);
  }
}

function writeBlock(id: string, paths: string[], mirror: Mirror, remote: Tree): string {
  const parts = paths.flatMap((path) => [path, writeRecord(mirror.get(path), remote.get(path))]);
  const records = [...parts, ''].join('\0');
  return `${id}\0${records.length}\0${records}`;
}

/** The block that begins there, where it was written to its end: all of its records then end in NUL. */
function readBlock(text: string, at: number): { id: string; begin: number; end: number } | undefined {
  const length = text.indexOf('\0', at) + 1;
  const begin = length === 0 ? 0 : text.indexOf('\0', length) + 1;
  const end = begin + Number(text.slice(length, begin - 1));
  if (begin === 0 || !(end <= text.length) || text[end - 1] !== '\0') return undefined;
  return { id: text.slice(at, length - 1), begin, end };
}
