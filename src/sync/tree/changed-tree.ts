import type { ListedPath, VolumeChange } from '../../engine/engine.ts';
import { unknownFingerprint } from '../../workspace/unknown-fingerprint.ts';
import { treeOf } from './remote-tree.ts';
import { isInside } from './safe-path.ts';
import { folderOf, type Node, type SyncBase, type Tree } from './tree.ts';

/** Changes of a volume's tree. */
export interface ChangedTree {
  /** Folders whose own state alone is known: their content existed before, at another path. */
  unseen: string[];
  refused: string[];
}

/**
 * Updates a volume's tree to its present state, without touching unchanged nodes. A folder's time shows that something
 * directly in it came or went; its inode shows that it is another folder. Undefined where a `sent` path is not
 * explained.
 */
export function changeTree(
  tree: Tree,
  { newer, below }: VolumeChange,
  sent: Iterable<string>,
): ChangedTree | undefined {
  const { tree: listed, refused } = treeOf([...newer, ...below].filter(({ path }) => path !== ''));
  const open = new Set(newer.filter(({ kind }) => kind === 'directory').map(({ path }) => path));
  const unseen = below.filter((each) => !open.has(each.path) && isNewFolder(each, tree)).map(({ path }) => path);
  const emptied = new Set(unseen);
  for (const [path, { kind }] of listed)
    if (kind !== 'directory' && tree.get(path)?.kind === 'directory') emptied.add(path);
  const gone = new Set<string>();
  for (const path of open.size + emptied.size > 0 ? tree.keys() : []) {
    const folder = folderOf(path);
    if (gone.has(folder) || emptied.has(folder) || (open.has(folder) && !listed.has(path))) gone.add(path);
  }
  for (const path of gone) tree.delete(path);
  for (const path of sent) {
    const node = listed.has(path) ? undefined : tree.get(path);
    if (node !== undefined && node.facts === undefined) return undefined;
  }
  for (const [path, node] of listed) putNode(tree, path, node);
  return { unseen, refused };
}

/** Updates a volume's tree to the complete listing, without touching unchanged nodes. */
export function becomeTree(tree: Tree, paths: ListedPath[]): Pick<ChangedTree, 'refused'> {
  const refused: string[] = [];
  const listed = new Set<string>();
  for (const each of paths) {
    if (!isInside(each.path)) {
      refused.push(each.path);
      continue;
    }
    listed.add(each.path);
    putNode(tree, each.path, each);
  }
  for (const path of tree.keys()) if (!listed.has(path)) tree.delete(path);
  return { refused };
}

function putNode(tree: Tree, path: string, node: Node): void {
  const before = tree.get(path);
  if (before?.facts !== node.facts || before?.target !== node.target) tree.set(path, node);
}

function isNewFolder({ path, kind, facts }: ListedPath, tree: Tree): boolean {
  return kind === 'directory' && inodeOf(tree.get(path)) !== inodeOf({ kind, facts });
}

/** Returns the inode of a folder. */
function inodeOf(node: Pick<Node, 'kind' | 'facts'> | undefined): string | undefined {
  return node?.kind === 'directory' ? (node.facts?.split(' ')[4] ?? '') : undefined;
}

/** Records the state of sent files that were not touched since. */
export function settleSent(base: SyncBase, tree: Tree, sentPaths: readonly string[], sent: number): void {
  for (const path of sentPaths) {
    const recorded = base.get(path);
    const node = tree.get(path);
    if (recorded?.remote !== unknownFingerprint || node?.kind !== recorded.kind) continue;
    const changed = Number(node.facts?.split(' ')[3]);
    if (changed <= sent) base.set(path, { ...recorded, remote: node.fingerprint });
  }
}
