import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parsePath } from '../engine/engine.ts';
import { TrackedMap } from './tracked-map.ts';
import type { Known, Mirror, Node, Tree } from './tree.ts';

const version = 'gbuild-mirror-4';
const fieldsPerPath = 7;

/** The file is written anew when it holds so many records more than paths. */
const mostSuperseded = (paths: number) => 1000 + paths / 4;

export interface Remembered {
  mirror: TrackedMap<Known>;
  /** What was in the volume: true as long as that bears the stamp. */
  remote: TrackedMap<Node>;
}

/**
 * What this machine remembers of one volume. Of a path it never decides alone: that counts as alike only while both sides still
 * look as they did, so a memory that is old, or of a volume that was made anew, costs time and nothing else. How the volume looks
 * is remembered too, and good for one run: a stamp says so, that both have, and that goes before anything changes there.
 *
 * The file is of fields that end in NUL: a version, then blocks of an id, how many records, and those; a later record of a path
 * is what counts. A run that changes little adds a block.
 */
export class MirrorMemory {
  readonly #file: string;
  #id: string | undefined;
  /** What the file says, where it is whole. */
  #remembered: (Remembered & { records: number }) | undefined;

  /** `ground` is all that the volume's content depends on besides the workspace: engine, volume, who owns the files. */
  constructor(cacheDir: string, ground: string[]) {
    const key = createHash('sha256').update(ground.join('\n')).digest('hex');
    this.#file = join(cacheDir, 'workspaces', key);
  }

  /** Empty where there is none, or it is damaged; without its last block where that was not written to its end. */
  read(): Remembered {
    const remembered = { mirror: new TrackedMap<Known>(), remote: new TrackedMap<Node>() };
    const fields = readText(this.#file).split('\0');
    if (fields[0] !== version) return remembered;
    const end = fields.length - 1;
    let [at, records] = [1, 0];
    while (at < end) {
      const count = Number(fields[at + 1]);
      const next = at + 2 + count * fieldsPerPath;
      if (!(next <= end)) break;
      for (let record = at + 2; record < next; record += fieldsPerPath) recall(remembered, fields, record);
      this.#id = fields[at];
      records += count;
      at = next;
    }
    if (at === end) this.#remembered = { ...remembered, records };
    return remembered;
  }

  /** Whether these are what was read or written last, and have not changed since. */
  has(mirror: Mirror, remote: Tree): boolean {
    return this.#isOf(mirror, remote) && !this.#remembered!.mirror.isChanged && !this.#remembered!.remote.isChanged;
  }

  write(mirror: Mirror, remote: Tree): void {
    const added = this.#isOf(mirror, remote) ? this.#takeChanged() : undefined;
    if (added?.size === 0) return;
    const paths = added ?? new Set([...remote.keys(), ...mirror.keys()]);
    const id = randomBytes(8).toString('hex');
    const parts = added === undefined ? [version, id, String(paths.size)] : [id, String(paths.size)];
    for (const path of paths) pushRecord(parts, path, mirror.get(path), remote.get(path));
    parts.push('');
    const isKept = this.#put(parts.join('\0'), added !== undefined);
    this.#id = isKept ? id : undefined;
    if (!isKept || added === undefined) this.#remembered = undefined;
    else this.#remembered!.records += added.size;
  }

  #isOf(mirror: Mirror, remote: Tree): boolean {
    return this.#remembered?.mirror === mirror && this.#remembered.remote === remote;
  }

  /** The paths of a further block; undefined where the whole is to be written. */
  #takeChanged(): Set<string> | undefined {
    const { mirror, remote, records } = this.#remembered!;
    const changed = new Set([...remote.takeChanged(), ...mirror.takeChanged()]);
    return records + changed.size - remote.size > mostSuperseded(remote.size) ? undefined : changed;
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
    if (this.#id !== undefined) replaceFile(`${this.#file}.stamp`, `${this.#id} ${stamp}`);
  }

  /** A memory that cannot be kept costs time, nothing else; an old one would do so too. */
  #put(text: string, isAdded: boolean): boolean {
    if (!isAdded) return replaceFile(this.#file, text);
    try {
      appendFileSync(this.#file, text);
      return true;
    } catch {
      return false;
    }
  }
}

/** One path: on the engine's side what `find` said of it, and what both sides had; a path that neither has is none any more. */
function pushRecord(parts: string[], path: string, known: Known | undefined, there: Node | undefined): void {
  const isAlike = there?.facts !== undefined && there.print === known?.remote;
  const { kind = '', content = '', local = '', remote = '' } = known ?? {};
  parts.push(path, there?.facts ?? '', there?.target ?? '', kind, content, local, isAlike ? '' : remote);
}

function recall({ mirror, remote }: Remembered, fields: string[], at: number): void {
  const path = fields[at]!;
  const there = fields[at + 1] === '' ? undefined : parsePath(fields[at + 1]!, path, fields[at + 2]!);
  if (there === undefined) remote.forget(path);
  else remote.restore(path, there);
  const kind = fields[at + 3] as Known['kind'] | '';
  const [content, local, known] = [fields[at + 4]!, fields[at + 5]!, fields[at + 6]!];
  if (kind === '') mirror.forget(path);
  else mirror.restore(path, { kind, content, local, remote: known === '' ? there!.print : known });
}

function replaceFile(file: string, text: string): boolean {
  const beside = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(beside, text, { mode: 0o600 });
    renameSync(beside, file);
    return true;
  } catch {
    rmSync(beside, { force: true });
    return false;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** The file system's own time, in milliseconds as `lstat` gives them. */
export function readClock(cacheDir: string): number {
  const probe = join(cacheDir, 'workspaces', `${process.pid}.clock`);
  mkdirSync(dirname(probe), { recursive: true });
  writeFileSync(probe, '');
  const { ctimeMs } = statSync(probe);
  rmSync(probe);
  return ctimeMs;
}
