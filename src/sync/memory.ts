import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parsePath } from '../engine/engine.ts';
import type { Known, Mirror, Tree } from './tree.ts';

const version = 'gbuild-mirror-3';
const fieldsPerPath = 7;

export interface Remembered {
  mirror: Mirror;
  /** What was in the volume: true as long as that bears the stamp. */
  remote: Tree;
}

/**
 * What this machine remembers of one volume. Of a path it never decides alone: that counts as alike only while both sides still
 * look as they did, so a memory that is old, or of a volume that was made anew, costs time and nothing else. How the volume looks
 * is remembered too, and good for one run: a stamp says so, that both have, and that goes before anything changes there.
 */
export class MirrorMemory {
  readonly #file: string;
  #id: string | undefined;

  /** `ground` is all that the volume's content depends on besides the workspace: engine, volume, who owns the files. */
  constructor(cacheDir: string, ground: string[]) {
    const key = createHash('sha256').update(ground.join('\n')).digest('hex');
    this.#file = join(cacheDir, 'workspaces', key);
  }

  /** Empty where there is none, or it is damaged. */
  read(): Remembered {
    const mirror: Mirror = new Map();
    const remote: Tree = new Map();
    const fields = readText(this.#file).split('\0');
    if (fields[0] !== version || fields.at(-1) !== 'end') return { mirror, remote };
    this.#id = fields[1]!;
    for (let at = 2; at + fieldsPerPath <= fields.length - 1; at += fieldsPerPath) {
      const path = fields[at]!;
      const there = fields[at + 1] === '' ? undefined : parsePath(fields[at + 1]!, path, fields[at + 2]!);
      if (there !== undefined) remote.set(path, there);
      const kind = fields[at + 3] as Known['kind'] | '';
      const [content, local, known] = [fields[at + 4]!, fields[at + 5]!, fields[at + 6]!];
      if (kind !== '') mirror.set(path, { kind, content, local, remote: known === '' ? there!.print : known });
    }
    return { mirror, remote };
  }

  write(mirror: Mirror, remote: Tree): void {
    const id = randomBytes(8).toString('hex');
    const parts = [version, id];
    for (const [path, { kind, content, local, remote: known }] of mirror) {
      const there = remote.get(path);
      const isAlike = there?.facts !== undefined && there.print === known;
      parts.push(path, there?.facts ?? '', there?.target ?? '', kind, content, local, isAlike ? '' : known);
    }
    for (const [path, { facts = '', target = '' }] of remote)
      if (!mirror.has(path)) parts.push(path, facts, target, '', '', '', '');
    parts.push('end');
    this.#id = this.#replace(this.#file, parts.join('\0')) ? id : undefined;
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
    if (this.#id !== undefined) this.#replace(`${this.#file}.stamp`, `${this.#id} ${stamp}`);
  }

  /** A memory that cannot be kept costs time, nothing else; an old one would do so too. */
  #replace(file: string, text: string): boolean {
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
