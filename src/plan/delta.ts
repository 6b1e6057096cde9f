/**
 * What a path of an image was when it was packed, in one word: `d`, `l TARGET`, or `f` and what the file system says of the
 * file. Equal prints mean equal content; `?` never equals anything.
 */
export type Prints = ReadonlyMap<string, string>;

export const unknownPrint = '?';

export interface Delta {
  /** Paths that are new or no longer the same. */
  changed: string[];
  /** Paths that are gone; of a folder that is gone, the folder alone. */
  removed: string[];
}

/**
 * What turns one tree into the other. Undefined where a layer on top cannot say it: a path that is a folder on one side
 * and something else on the other.
 */
export function planDelta(before: Prints, now: Prints): Delta | undefined {
  const changed: string[] = [];
  for (const [path, print] of now) {
    const old = before.get(path);
    if (old !== undefined && (old === 'd') !== (print === 'd')) return undefined;
    if (old !== print || print === unknownPrint) changed.push(path);
  }
  const folders = new Set([...now.keys()].flatMap(ancestorsOf));
  const gone = new Set<string>();
  for (const [path, print] of before) {
    if (now.has(path)) continue;
    // A folder that was empty and is not any more is no path of its own, but it is there.
    if (!folders.has(path)) gone.add(path);
    else if (print !== 'd') return undefined;
  }
  const removed = [...gone].filter((path) => !hasGoneParent(path, gone));
  const isBelowFile = (path: string) => ancestorsOf(path).some((parent) => (now.get(parent) ?? 'd') !== 'd');
  return removed.some(isBelowFile) ? undefined : { changed, removed };
}

function hasGoneParent(path: string, gone: ReadonlySet<string>): boolean {
  return ancestorsOf(path).some((parent) => gone.has(parent));
}

function ancestorsOf(path: string): string[] {
  const ancestors: string[] = [];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    ancestors.push(path.slice(0, end));
  return ancestors;
}
