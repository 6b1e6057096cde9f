import type { VolumeHolder } from '../engine/engine.ts';
import { changeTree, settleSent } from './changed-tree.ts';
import type { Pushed } from './push.ts';
import { treeOf } from './remote-tree.ts';
import type { Tree } from './tree.ts';

/** What is in a volume. */
export interface SeenRemote {
  tree: Tree;
  /** Names that lead out of it. */
  refused: string[];
}

/** All of it. */
export async function readWhole(holder: VolumeHolder, signal: AbortSignal): Promise<SeenRemote> {
  return treeOf(await holder.list(signal));
}

/** What is there after a run: only what has changed is asked for, where that can be told. */
export async function readAfter(holder: VolumeHolder, pushed: Pushed, signal: AbortSignal): Promise<SeenRemote> {
  const { remote: tree, mirror, sent } = pushed;
  const change = await holder.listChanged(signal);
  const changed = change && changeTree(tree, change);
  if (changed === undefined) return readWhole(holder, signal);
  const { unseen, refused } = changed;
  if (unseen.length > 0) {
    const moved = treeOf(await holder.listBelow(unseen, signal));
    for (const [path, node] of moved.tree) tree.set(path, node);
    refused.push(...moved.refused);
  }
  settleSent(mirror, tree, sent, change!.sent);
  return { tree, refused };
}
