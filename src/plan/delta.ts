import { unknownFingerprint } from '../workspace/unknown-fingerprint.ts';
/**
 * Fingerprint of each path when the image was packed, in one word: `d`, `l TARGET`, or `f` and the file system's facts
 * about the file. Equal fingerprints mean equal content; `?` never equals anything.
 */
export type Fingerprints = ReadonlyMap<string, string>;

export interface Delta {
  /** Paths that are new or different. */
  changed: string[];
  /** Deleted paths; for a deleted folder, only the folder. */
  removed: string[];
}

/**
 * Plans the change from one tree to the other. Undefined where a layer on top cannot express it: a path that is a
 * folder on one side and something else on the other.
 */
export function planDelta(before: Fingerprints, now: Fingerprints): Delta | undefined {
  const changed: string[] = [];
  for (const [path, fingerprint] of now) {
    const old = before.get(path);
    if (old !== undefined && (old === 'd') !== (fingerprint === 'd')) return undefined;
    if (old !== fingerprint || fingerprint === unknownFingerprint) changed.push(path);
  }
  const folders = new Set([...now.keys()].flatMap(ancestorsOf));
  const gone = new Set<string>();
  for (const [path, fingerprint] of before) {
    if (now.has(path)) continue;
    // A folder that was empty and is not any more has no entry, but it exists.
    if (!folders.has(path)) gone.add(path);
    else if (fingerprint !== 'd') return undefined;
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
