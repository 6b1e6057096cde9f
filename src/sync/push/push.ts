import type { VolumeLease } from '../../engine/engine.ts';
import { unknownFingerprint } from '../../workspace/unknown-fingerprint.ts';
import { smallFile } from '../read/hash-file.ts';
import { readNode } from '../read/read-local.ts';
import { readSent } from '../read/read-sent.ts';
import { folderOf, isSameFingerprint, type Node, type SyncBase, type Tree } from '../tree/tree.ts';
import type { PushPlan, Sides } from './plan-push.ts';
import { type FileOwner, readItems, rootItem } from './send-items.ts';

/** Number of files above which `tar` unpacks them in the container. */
export const manyFiles = 1000;

/** Amount of sent files. */
export interface Sent {
  files: number;
  bytes: number;
  removed: number;
}

export interface PushInput {
  rootDir: string;
  lease: VolumeLease;
  sides: Sides;
  plan: PushPlan;
  owner: FileOwner;
  signal: AbortSignal;
  /** Called once, before anything is sent. */
  onBegin: (sent: Sent) => void;
}

/** Paths to send and remove, and contents of files that were read for the decision. */
export interface PushTodo {
  send: string[];
  remove: string[];
  bytes: number;
  contents: Map<string, string>;
}

/** State of both sides after a push, and the volume's paths: the fingerprints of `sent` are not known yet. */
export interface Pushed {
  base: SyncBase;
  remote: Tree;
  sent: string[];
}

/** Reads files with changed times, and returns how much there is to do. */
export function preparePush(input: PushInput): PushTodo {
  const { sides, plan } = input;
  const contents = new Map<string, string>();
  const send = [...plan.send, ...plan.compare.filter((path) => isOther(input, path, contents))];
  const files = send.filter((path) => sides.local.get(path)?.kind === 'file');
  const bytes = files.reduce((sum, path) => sum + sides.local.get(path)!.size, 0);
  input.onBegin({ files: files.length, bytes, removed: plan.remove.length });
  return { send, remove: plan.remove, bytes, contents };
}

/**
 * Updates the volume to this side's state. A file that changes meanwhile is sent in its old or new state, and checked
 * again the next time. A crash at any moment leaves a volume that the next push can update. An item is sent even
 * without a difference, so that the volume loses its clean marker, except where that `isDone`.
 */
export async function push(input: PushInput, { send, remove, contents }: PushTodo, isDone: boolean): Promise<Pushed> {
  const { rootDir, lease, sides, owner, signal } = input;
  const { local } = sides;
  if (remove.length > 0) await lease.remove(remove, signal);
  const isFirst = sides.remote.size === 0;
  const items = readItems({ rootDir, paths: send, local, owner, exact: !isFirst, contents });
  if (!isDone) await lease.put(items, signal, { many: send.length > manyFiles });
  // A large file is read a second time for sending: it counts only if it did not change.
  for (const path of send) if (hasMoved(rootDir, path, local.get(path)!)) contents.delete(path);
  const remote = expectRemote(sides, remove, send);
  settleBase(sides, remote, new Set([...input.plan.unsettled, ...send, ...contents.keys()]), contents);
  return { base: sides.base, remote, sent: send };
}

/** Removes the volume's clean marker, the time of its folder. */
export function clearCleanMarker({
  rootDir,
  lease,
  owner,
  signal,
}: Omit<PushInput, 'plan' | 'sides' | 'onBegin'>): Promise<void> {
  return lease.put([rootItem(rootDir, owner)], signal);
}

/**
 * Updates the base to the common state. `contents` holds the content of sent or read files, unless they may have
 * changed since.
 */
function settleBase(
  { local, base }: Sides,
  remote: Tree,
  paths: Iterable<string>,
  contents: ReadonlyMap<string, string>,
) {
  for (const path of paths) {
    const node = local.get(path);
    const there = remote.get(path);
    const content = node?.kind === 'file' ? contents.get(path) : (node?.target ?? '');
    if (node === undefined || there?.kind !== node.kind || content === undefined) base.delete(path);
    else base.set(path, { kind: node.kind, content, local: node.fingerprint, remote: there.fingerprint });
  }
}

/** Whether a file with changed times has another content or mode. For the same content, the content is recorded. */
function isOther({ rootDir, sides }: PushInput, path: string, contents: Map<string, string>): boolean {
  const content = readSent(rootDir, path, sides.local);
  const isSame = content?.digest === sides.base.get(path)?.content;
  if (!isSame || sides.local.get(path)?.mode !== sides.remote.get(path)?.mode) return true;
  contents.set(path, content!.digest);
  return false;
}

function hasMoved(rootDir: string, path: string, before: Node): boolean {
  if (before.kind !== 'file' || before.size < smallFile) return false;
  const now = readNode(`${rootDir}/${path}`);
  return now === undefined || !isSameFingerprint(before.fingerprint, now.fingerprint);
}

/** Returns the expected volume, except for times and inodes of sent paths. */
function expectRemote({ local, remote }: Sides, removed: string[], sent: string[]): Tree {
  const gone = new Set(removed);
  if (gone.size > 0)
    for (const path of remote.keys())
      if (gone.has(path) || gone.has(folderOf(path))) {
        gone.add(path);
        remote.delete(path);
      }
  for (const path of sent) {
    const { facts: _, ...node } = local.get(path)!;
    remote.set(path, node.kind === 'file' ? { ...node, fingerprint: unknownFingerprint } : node);
  }
  return remote;
}
