import {
  folderOf,
  isGits,
  isSameFingerprint,
  type Node,
  type SyncBase,
  type SyncBaseEntry,
  type Tree,
} from '../tree/tree.ts';

export interface Sides {
  /** Paths that go to the engine, as they are here now. */
  local: Tree;
  /** Paths of `local` of which this side is the truth. */
  sources: { has(path: string): boolean };
  /** Paths of the volume. */
  remote: Tree;
  base: SyncBase;
  /** All paths but those that look on both sides as they did when they were last alike; all, where it is missing. */
  loose?: string[];
}

export interface PushPlan {
  /** To be removed from the volume, with all that is in them, before anything is sent. */
  remove: string[];
  send: string[];
  /** Files whose times here have changed: to be sent unless the content is the known one. */
  compare: string[];
  /** Paths to update in the base without sending: equal on both sides but not recorded, or deleted. */
  unsettled: string[];
}

/** Fate of a path of the volume before anything is sent. */
type Fate = 'stays' | 'goes' | 'ignored';

/**
 * Topmost paths of the volume that nobody knows here: what a build made and git ignores, or what a run that was killed left.
 * Folders end in `/`.
 */
export function listUnknown({ local, remote, base, loose }: Omit<Sides, 'sources'>): string[] {
  const inside = new Set<string>();
  const unknown: string[] = [];
  for (const path of loose ?? remote.keys()) {
    if (local.has(path) || !remote.has(path)) continue;
    if (inside.size > 0 && inside.has(folderOf(path))) inside.add(path);
    else if (!base.has(path) && !isGits(path)) {
      inside.add(path);
      unknown.push(remote.get(path)?.kind === 'directory' ? `${path}/` : path);
    }
  }
  return unknown;
}

/**
 * Plans how the volume becomes as this side is. Pure. Of ignored paths that came back from a build once, this side's edits and
 * deletions go there too; what a run changed there that died is left, for the tool that made it relies on it.
 */
export function planPush(sides: Sides, ignored: ReadonlySet<string>): PushPlan {
  // Of those alone that do not just stay: nearly all do.
  const fates = new Map<string, Fate>();
  const remove: string[] = [];
  const { local, sources, remote, base, loose } = sides;
  for (const path of loose ?? remote.keys()) {
    const node = remote.get(path);
    if (node === undefined) continue;
    const above = (fates.size > 0 && fates.get(folderOf(path))) || 'stays';
    const fate = above === 'goes' ? 'goes' : decide(path, node, above, sides, ignored);
    if (fate !== 'stays') fates.set(path, fate);
    if (fate === 'goes' && above !== 'goes') remove.push(path);
  }
  // With a folder all goes that is in it.
  if (remove.length > 0 && loose !== undefined) return planPush({ local, sources, remote, base }, ignored);
  const plan: PushPlan = { remove, send: [], compare: [], unsettled: [] };
  for (const path of loose ?? base.keys()) if (base.has(path) && !local.has(path)) plan.unsettled.push(path);
  for (const path of loose ?? local.keys()) {
    const node = local.get(path);
    if (node === undefined) continue;
    const there = fates.get(path) === 'goes' ? undefined : remote.get(path);
    if (sources.has(path)) planSource(path, node, there, base, plan);
    else planOutput(path, node, there, base, plan);
  }
  return plan;
}

function decide(path: string, node: Node, above: Fate, { local, base }: Sides, ignored: ReadonlySet<string>): Fate {
  const own = local.get(path);
  if (own !== undefined) return own.kind === node.kind ? 'stays' : 'goes';
  if (base.has(path)) return 'goes';
  return above === 'ignored' || ignored.has(path) ? 'ignored' : 'goes';
}

function planSource(path: string, node: Node, there: Node | undefined, base: SyncBase, plan: PushPlan): void {
  if (there === undefined) plan.send.push(path);
  else if (node.kind !== 'file') {
    if (node.fingerprint !== there.fingerprint) plan.send.push(path);
    else if (!isRecordedAs(base.get(path), node, there)) plan.unsettled.push(path);
  } else {
    const recorded = base.get(path);
    if (recorded?.kind !== 'file' || recorded.remote !== there.fingerprint) plan.send.push(path);
    else if (!isSameFingerprint(recorded.local, node.fingerprint)) plan.compare.push(path);
  }
}

function planOutput(path: string, node: Node, there: Node | undefined, base: SyncBase, plan: PushPlan): void {
  const recorded = base.get(path);
  if (recorded === undefined) return;
  if (there === undefined) plan.unsettled.push(path);
  else if (isSameFingerprint(recorded.local, node.fingerprint)) return;
  else if (node.kind === 'file' && recorded.kind === 'file') plan.compare.push(path);
  else if (node.kind === 'symlink') plan.send.push(path);
}

/** Whether a folder or link is recorded as both sides have it. */
function isRecordedAs(
  recorded: SyncBaseEntry | undefined,
  { kind, fingerprint, target = '' }: Node,
  there: Node,
): boolean {
  return (
    recorded?.kind === kind &&
    recorded.local === fingerprint &&
    recorded.remote === there.fingerprint &&
    recorded.content === target
  );
}
