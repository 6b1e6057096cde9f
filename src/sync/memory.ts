import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Known, Mirror } from './tree.ts';

const version = 'gbuild-mirror-2';
const fieldsPerPath = 5;

/**
 * What this machine remembers of one volume. It never decides alone: a path counts as alike only while both sides still look
 * as they did, so a memory that is old, or of a volume that was made anew, costs time and nothing else.
 */
export class MirrorMemory {
  readonly #file: string;

  /** `ground` is all that the volume's content depends on besides the workspace: engine, volume, who owns the files. */
  constructor(cacheDir: string, ground: string[]) {
    const key = createHash('sha256').update(ground.join('\n')).digest('hex');
    this.#file = join(cacheDir, 'workspaces', key);
  }

  /** Empty where there is none, or it is damaged. */
  read(): Mirror {
    const mirror: Mirror = new Map();
    const fields = this.#readText().split('\0');
    if (fields[0] !== version || fields.at(-1) !== 'end') return mirror;
    for (let at = 1; at + fieldsPerPath <= fields.length - 1; at += fieldsPerPath) {
      const kind = fields[at + 1] as Known['kind'];
      const [content, local, remote] = [fields[at + 2]!, fields[at + 3]!, fields[at + 4]!];
      mirror.set(fields[at]!, { kind, content, local, remote });
    }
    return mirror;
  }

  write(mirror: Mirror): void {
    const parts = [version];
    for (const [path, { kind, content, local, remote }] of mirror) parts.push(path, kind, content, local, remote);
    parts.push('end');
    const beside = `${this.#file}.${process.pid}`;
    mkdirSync(dirname(this.#file), { recursive: true });
    try {
      writeFileSync(beside, parts.join('\0'), { mode: 0o600 });
      renameSync(beside, this.#file);
    } catch {
      // A memory that cannot be kept costs time, nothing else; an old one would do so too.
      rmSync(beside, { force: true });
    }
  }

  #readText(): string {
    try {
      return readFileSync(this.#file, 'utf8');
    } catch {
      return '';
    }
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
