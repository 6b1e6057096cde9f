import type { VolumeLease } from '../../engine/engine.ts';
import { becomeTree, changeTree, settleSent } from '../tree/changed-tree.ts';
import { treeOf } from '../tree/remote-tree.ts';
import type { Tree } from '../tree/tree.ts';
import type { Pushed } from './push.ts';

/** Updates a tree to the volume's content. Returns names that lead out of it. */
export async function readWholeVolume(lease: VolumeLease, tree: Tree, signal: AbortSignal): Promise<string[]> {
  return becomeTree(tree, await lease.list(signal)).refused;
}

/** Updates a tree after a run: only changes are requested, where they can be determined. */
export async function readAfter(lease: VolumeLease, pushed: Pushed, signal: AbortSignal): Promise<string[]> {
  const { remote: tree, base, sent } = pushed;
  const change = await lease.listChanged(signal);
  const changed = change && changeTree(tree, change, sent);
  if (changed === undefined) return readWholeVolume(lease, tree, signal);
  const { unseen, refused } = changed;
  if (unseen.length > 0) {
    const moved = treeOf(await lease.listBelow(unseen, signal));
    for (const [path, node] of moved.tree) tree.set(path, node);
    refused.push(...moved.refused);
  }
  settleSent(base, tree, sent, change!.sent);
  return refused;
}
