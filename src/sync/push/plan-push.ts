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
  /** Paths that are sent to the engine, in their present state. */
  local: Tree;
  /** Paths of `local` for which this side is authoritative. */
  sources: { has(path: string): boolean };
  /** Paths of the volume. */
  remote: Tree;
  base: SyncBase;
  /** Paths that may differ from the last common state; all when left out. */
  loose?: string[];
}

export interface PushPlan {
  /** Paths to remove from the volume, with everything in them, before anything is sent. */
  remove: string[];
  send: string[];
  /** Files with changed times: sent unless their content is the recorded one. */
  compare: string[];
  /** Paths to update in the base without sending: equal on both sides but not recorded, or deleted. */
  unsettled: string[];
}

/** Fate of a path of the volume before anything is sent. */
type Fate = 'stays' | 'goes' | 'ignored';

/**
 * Lists the topmost paths of the volume that this side does not know: ignored build outputs, or leftovers of a killed
 * run. Folders end in `/`.
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
 * Plans the update of the volume to this side's state. Pure. For ignored paths that came back from a build before, this
 * side's edits and deletions are sent too. The changes of a run that died stay there, because the tool that made them
 * relies on them.
 */
export function planPush(sides: Sides, ignored: ReadonlySet<string>): PushPlan {
  // Only for paths that do not simply stay: nearly all do.
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
  // Removing a folder removes its content too.
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

/** Whether a folder or link is recorded with the state of both sides. */
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
