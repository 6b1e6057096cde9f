/** One path of a volume as the engine's side tells it. */
export interface ListedPath {
  /** Relative to the volume, without `./`. */
  path: string;
  kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits with set-id and sticky ones. */
  mode: number;
  size: number;
  /** Time of the last change of content or mode, and the inode: what no program can set at will. */
  change: string;
  /** Of symlinks. */
  target: string;
}

/** For find(1): three fields a path, each ended by NUL, for nothing else is in no name. */
export const listingFormat = '%y %m %s %C@ %i\\0%p\\0%l\\0';

const kinds: Record<string, ListedPath['kind']> = { f: 'file', d: 'directory', l: 'symlink' };

/** Puts together what `find -printf` with `listingFormat` prints, however it was cut; `end` is the text that closes it. */
export class ListingReader {
  #rest: Buffer = Buffer.alloc(0);
  #fields: string[] = [];
  #paths: ListedPath[] = [];

  /** The text after the listing's end once that has come; take the paths then. */
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
      if (all[at]!.startsWith('end ')) return all[at]!.slice(4);
      this.#paths.push(parsePath(all[at]!, all[at + 1]!, all[at + 2]!));
    }
    this.#fields = all.slice(at);
    return undefined;
  }

  take(): ListedPath[] {
    return this.#paths;
  }
}

/** A name that is not UTF-8 cannot be told from others any more: it is as good as a device. */
function parsePath(facts: string, name: string, target: string): ListedPath {
  const [type = '', mode = '', size = '', time = '', inode = ''] = facts.split(' ');
  const path = name.startsWith('./') ? name.slice(2) : name;
  const isReadable = !path.includes('\ufffd') && !target.includes('\ufffd');
  return {
    path,
    kind: isReadable ? (kinds[type] ?? 'other') : 'other',
    mode: Number.parseInt(mode, 8),
    size: Number(size),
    change: `${time} ${inode}`,
    target,
  };
}
