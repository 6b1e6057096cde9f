import { folderOf, isGits, type SyncBase, type Tree } from '../tree/tree.ts';

export interface PullSides {
  /** Paths of the volume after the run. */
  remote: Tree;
  /** State that both sides had before. */
  base: SyncBase;
  /** Whether git ignores a path; holds paths outside the base, once git has answered. */
  ignored: ReadonlyMap<string, boolean>;
  /** All paths but those that are there as both sides had them; all, where it is missing. */
  loose?: string[];
}

export interface PullPlan {
  /** Files and links that are new or changed, and folders that are. */
  fetch: string[];
  folders: string[];
  /** Gone from the volume, or a folder there now or no longer; what is in a folder before the folder. */
  remove: string[];
  /** Neither file, folder nor link: `path` and what it is. */
  refused: string[];
}

/** Topmost paths of the volume that it must still be asked of whether git ignores them. Folders end in `/`. */
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

/** Whether git ignores the path or a folder that it is in. */
export function isIgnored(path: string, ignored: ReadonlyMap<string, boolean>): boolean {
  for (let at = path; at !== ''; at = folderOf(at)) if (ignored.get(at) === true) return true;
  return false;
}

/**
 * Plans how this side becomes as the volume is after a run: all that git does not ignore, what is `wanted` of the rest, and what came
 * back before. Pure.
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
      // Of ignored folders those are made that something is in.
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
