import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../host.ts';
import type { Digest } from '../oci/digest.ts';
import type { Entry } from '../oci/entry.ts';
import { unknownPrint } from '../plan/delta.ts';
import { readFileClock } from './file-clock.ts';

/** What is remembered of an image that was packed from a tree: enough to put only what changed since on top of it. */
export interface PackedTree {
  /** Everything that decides what an image of the same files is: base, rules, engine. */
  ground: string;
  /** What the engine calls the image. */
  engineId: string;
  layers: { diffId: Digest; size: number; createdBy: string }[];
  /** How many of the layers were put on top of a whole packing. */
  deltas: number;
  prints: Map<string, string>;
}

/** The memory of one repository's tree under one image name. */
export class TreeMemory {
  readonly #file: string;

  constructor(host: Host, rootDir: string, repository: string) {
    const key = createHash('sha256').update(`${rootDir}\n${repository}`).digest('hex');
    this.#file = join(host.cacheDir, 'packed-trees', `${key}.json`);
  }

  /** Undefined where there is none, or it is damaged. */
  read(): PackedTree | undefined {
    try {
      const { prints, ...tree } = JSON.parse(readFileSync(this.#file, 'utf8'));
      return { ...tree, prints: new Map(prints) };
    } catch {
      return undefined;
    }
  }

  /** A memory that cannot be kept costs time, nothing else. */
  write(tree: PackedTree): void {
    const beside = `${this.#file}.${process.pid}`;
    try {
      mkdirSync(join(this.#file, '..'), { recursive: true });
      writeFileSync(beside, JSON.stringify({ ...tree, prints: [...tree.prints] }));
      renameSync(beside, this.#file);
    } catch {
      rmSync(beside, { force: true });
    }
  }

  forget(): void {
    rmSync(this.#file, { force: true });
  }

  /** See `readFileClock`: a file that changed at or after it may change once more without its times showing it. */
  readClock(): bigint {
    return readFileClock(this.#file);
  }
}

/** The prints of a tree, by what lstat says. Files touched since `clock` are unknown: they count as changed next time. */
export function printEntries(entries: ReadonlyMap<string, Entry>, clock: bigint): Map<string, string> {
  const prints = new Map<string, string>();
  for (const [path, entry] of entries) prints.set(path, printOf(entry, clock));
  return prints;
}

function printOf(entry: Entry, clock: bigint): string {
  if (entry.type === 'directory') return 'd';
  if (entry.type === 'symlink') return `l ${entry.target}`;
  if (!('hostFile' in entry.content)) return unknownPrint;
  const stat = lstatSync(entry.content.hostFile, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || stat.ctimeNs >= clock) return unknownPrint;
  return `f ${entry.executable} ${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}
