import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCached, writeCached } from '../../fs/cached-file.ts';
import { readClock } from '../../fs/clock.ts';
import { removeAny } from '../../fs/replace-file.ts';
import type { Host } from '../../host.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Entry } from '../../oci/tar/entry.ts';
import { unknownFingerprint } from '../../workspace/unknown-fingerprint.ts';

/** Record of an image that was packed from a tree: enough to put only the changes since then on top of it. */
export interface PackedTree {
  /** Inputs that decide the image together with its files: base, rules, engine. */
  basis: string;
  /** Id of the image on the engine. */
  engineId: string;
  layers: { diffId: Digest; size: number; createdBy: string }[];
  /** Number of layers that were put on top of a whole packing. */
  deltas: number;
  fingerprints: Map<string, string>;
}

const format = 'packed-tree 2';

/** Records of one repository's tree under one image name. */
export class TreeMemory {
  readonly #file: string;

  constructor(host: Host, rootDir: string, repository: string) {
    const key = createHash('sha256').update(`${rootDir}\n${repository}`).digest('hex');
    this.#file = join(host.cacheDir, 'packed-trees', `${key}.json`);
  }

  /** Reads the record; undefined where it is missing or damaged. */
  read(): PackedTree | undefined {
    const text = readCached(this.#file, format);
    if (text === undefined) return undefined;
    const { fingerprints, ...tree } = JSON.parse(text);
    return { ...tree, fingerprints: new Map(fingerprints) };
  }

  /** Writes the record. A record that cannot be written costs time only. */
  write(tree: PackedTree): void {
    writeCached(this.#file, format, JSON.stringify({ ...tree, fingerprints: [...tree.fingerprints] }));
  }

  forget(): void {
    removeAny(this.#file);
  }

  /** Reads the clock: a file that changed at or after it may change once more without a trace in its times. */
  readClock(): bigint {
    return readClock(dirname(this.#file)).ctimeNs;
  }
}

/**
 * Computes fingerprints of a tree from lstat. Files touched since `clock` are unknown: they count as changed next time.
 */
export function fingerprintEntries(entries: ReadonlyMap<string, Entry>, clock: bigint): Map<string, string> {
  const fingerprints = new Map<string, string>();
  for (const [path, entry] of entries) fingerprints.set(path, fingerprintOf(entry, clock));
  return fingerprints;
}

function fingerprintOf(entry: Entry, clock: bigint): string {
  if (entry.type === 'directory') return 'd';
  if (entry.type === 'symlink') return `l ${entry.target}`;
  if (!('hostFile' in entry.content)) return unknownFingerprint;
  const stat = lstatSync(entry.content.hostFile, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || stat.ctimeNs >= clock) return unknownFingerprint;
  return `f ${entry.executable} ${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}
