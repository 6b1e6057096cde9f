/** Path of a volume as the engine's side lists it. */
export interface ListedPath {
  /** Path relative to the volume, without `./`. */
  path: string;
  kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits. */
  mode: number;
  size: number;
  /**
   * Fingerprint: changes whenever the content may have changed. For a file it is mode, size, time of the last change of
   * content or mode, and inode, which no program can set at will. For a folder it is the mode, for a link the target.
   */
  fingerprint: string;
  /** Text that `listingFormat` writes before the name. */
  facts: string;
  /** Whether it would run as its owner or group. */
  setsId?: boolean;
  /** Target of a symlink. */
  target?: string;
}

/** Format for find(1): three fields for each path, each ended by NUL, the only byte that is in no name. */
export const listingFormat = '%y %m %s %C@ %i\\0%p\\0%l\\0';

const kinds: Record<string, ListedPath['kind']> = { f: 'file', d: 'directory', l: 'symlink' };

/** Parses the output of `find -printf` with `listingFormat`, however it was cut; `end` is the text that closes it. */
export class ListingReader {
  #rest: Buffer = Buffer.alloc(0);
  #fields: string[] = [];
  #paths: ListedPath[] = [];
  #above: ListedPath[] | undefined;

  /** Reads a chunk. Returns the text after the listing's end once that has come; the paths are then complete. */
  read(chunk: Buffer): string | undefined {
    const cut = chunk.lastIndexOf(0);
    if (cut === -1) {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      return undefined;
    }
    const whole =
      this.#rest.length === 0 ? chunk.subarray(0, cut) : Buffer.concat([this.#rest, chunk.subarray(0, cut)]);
    this.#rest = Buffer.from(chunk.subarray(cut + 1));
    const fields = whole.toString('utf8').split('\0');
    const all = this.#fields.length === 0 ? fields : this.#fields.concat(fields);
    let at = 0;
    for (; at + 2 < all.length; at += 3) {
      if (all[at]!.startsWith('end ')) return all[at]!.slice(4).trimEnd();
      if (all[at] === 'below') {
        this.#above = this.#paths;
        this.#paths = [];
        continue;
      }
      this.#paths.push(parsePath(all[at]!, all[at + 1]!, all[at + 2]!));
    }
    this.#fields = all.slice(at);
    return undefined;
  }

  take(): ListedPath[] {
    return this.#paths;
  }

  /** Returns the paths that came before the text `below`. */
  takeAbove(): ListedPath[] {
    return this.#above ?? [];
  }
}

/** Parses a path. A name that is not UTF-8 is not unique any more, and counts as unusable, like a device. */
export function parsePath(facts: string, name: string, target: string): ListedPath {
  const [, bits = '', length = ''] = facts.split(' ', 3);
  const path = name === '.' ? '' : name.startsWith('./') ? name.slice(2) : name;
  const isReadable = !path.includes('\ufffd') && !target.includes('\ufffd');
  const kind = isReadable ? (kinds[facts[0]!] ?? 'other') : 'other';
  const all = Number.parseInt(bits, 8);
  const [mode, size] = [all & 0o777, Number(length)];
  if (kind === 'directory') return { path, kind, mode, size, fingerprint: mode.toString(8), facts };
  if (kind === 'symlink') return { path, kind, mode, size, fingerprint: target, facts, target };
  const setsId = kind === 'file' && (all & 0o6000) !== 0;
  return setsId
    ? { path, kind, mode, size, fingerprint: facts, facts, setsId }
    : { path, kind, mode, size, fingerprint: facts, facts };
}
