import { folderOf, isGits, type SyncBase, type Tree } from '../tree/tree.ts';

export interface PullSides {
  /** Paths of the volume after the run. */
  remote: Tree;
  /** State that both sides shared before. */
  base: SyncBase;
  /** Whether git ignores a path; git's answers for paths outside of the base. */
  ignored: ReadonlyMap<string, boolean>;
  /** Paths that may differ from the shared state; all when left out. */
  loose?: string[];
}

export interface PullPlan {
  /** New or changed files and links; changed folders are separate. */
  fetch: string[];
  folders: string[];
  /**
   * Paths that are gone from the volume, or that changed to or from a folder; the content of a folder comes before it.
   */
  remove: string[];
  /** Paths that are neither file, folder nor link: `path` and its kind. */
  refused: string[];
}

/** Lists the topmost paths of the volume for which git must still be asked. Folders end in `/`. */
export function listUndecided({ remote, base, ignored, loose }: PullSides): string[] {
  const asked = new Set<string>();
  const undecided: string[] = [];
  const below = new Set<string>();
  for (const path of loose ?? remote.keys()) {
    if (!remote.has(path) || base.has(path) || isGits(path)) continue;
    const folder = folderOf(path);
    if (asked.has(folder) || below.has(folder)) below.add(path);
    else if (!ignored.has(path) && !isIgnored(folder, ignored)) {
      asked.add(path);
      undecided.push(remote.get(path)?.kind === 'directory' ? `${path}/` : path);
    }
  }
  return undecided;
}

/** Whether git ignores the path or a folder above it. */
export function isIgnored(path: string, ignored: ReadonlyMap<string, boolean>): boolean {
  for (let at = path; at !== ''; at = folderOf(at)) if (ignored.get(at) === true) return true;
  return false;
}

/**
 * Plans the update of this side to the volume's state after a run. It covers all paths that git does not ignore, the
 * `wanted` ones of the rest, and those that came back before. Pure.
 */
export function planPull(sides: PullSides, isWanted: (path: string) => boolean): PullPlan {
  const { remote, base, ignored, loose } = sides;
  const plan: PullPlan = { fetch: [], folders: [], remove: [], refused: [] };
  const inside = new Set<string>();
  for (const path of loose ?? remote.keys()) {
    const node = remote.get(path);
    if (node === undefined) continue;
    const recorded = base.get(path);
    if (recorded !== undefined && recorded.kind === node.kind && recorded.remote === node.fingerprint) continue;
    if (isGits(path)) continue;
    const isOut = recorded === undefined && (inside.has(folderOf(path)) || ignored.get(path) === true);
    if (isOut) inside.add(path);
    if (isOut && !isWanted(path)) continue;
    if (node.kind === 'directory') {
      // Ignored folders are made only when they hold something.
      if (!isOut) plan.folders.push(path);
    } else if (node.kind === 'other') plan.refused.push(path);
    else plan.fetch.push(path);
  }
  for (const path of loose ?? base.keys()) {
    const kind = base.get(path)?.kind;
    if (kind === undefined) continue;
    const there = remote.get(path)?.kind;
    const gaveWay = there !== kind && (there === 'directory' || kind === 'directory');
    if ((there === undefined || gaveWay) && !isGits(path)) plan.remove.push(path);
  }
  plan.remove.sort((left, right) => right.length - left.length);
  return plan;
}
