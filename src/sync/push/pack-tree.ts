import { constantTime, type Layer, layerOfItems } from '../../oci/layer/layer.ts';
import type { TarItem } from '../../oci/tar/tar.ts';
import { judgeGitPath } from '../../workspace/git/git-folder.ts';
import { readSent } from '../read/read-sent.ts';
import { folderOf, isGits, type Node, type Tree } from '../tree/tree.ts';
import type { FileOwner } from './send-items.ts';

export interface PackTreeInput {
  rootDir: string;
  tree: Tree;
  /** Paths of the tree; their parent folders are added. */
  paths: readonly string[];
  owner: FileOwner;
  /** Folder in the image; relative. */
  place: string;
}

/**
 * Packs a layer with some of a workspace's paths, owned by the tasks' user. Contents, modes, links and empty folders
 * are the same as here. All times are equal, so that another checkout of the same files gives the same layer. A git
 * config is packed without credentials.
 */
export function packTree(input: PackTreeInput): Layer {
  const paths = withFolders(input.paths);
  const expected = paths.reduce((sum, path) => sum + 512 + (input.tree.get(path)?.size ?? 0), 0);
  return layerOfItems(() => listItems(input, paths), { expected, createdBy: 'gbuild workspace' });
}

/** Adds parents, each folder before its content; '' is the workspace itself. */
function withFolders(paths: readonly string[]): string[] {
  const all = new Set<string>(['']);
  const add = (path: string) => {
    if (all.has(path)) return;
    add(folderOf(path));
    all.add(path);
  };
  for (const path of paths) add(path);
  return [...all];
}

const topFolder: Node = { kind: 'directory', mode: 0o755, size: 0, fingerprint: '' };

function* listItems({ rootDir, tree, owner, place }: PackTreeInput, paths: string[]): Generator<TarItem> {
  const common = { ...owner, mtime: constantTime };
  for (const path of paths) {
    const { kind, mode, size, target } = path === '' ? topFolder : tree.get(path)!;
    const at = path === '' ? place : `${place}/${path}`;
    if (kind === 'file') {
      const content = readConfig(rootDir, path, tree) ?? { hostFile: `${rootDir}/${path}`, size };
      yield { header: { path: at, type: 'file', mode, ...common, size: content.size }, content };
    } else if (kind === 'symlink') {
      yield { header: { path: at, type: 'symlink', mode: 0o777, ...common, size: 0, linkTarget: target ?? '' } };
    } else {
      yield { header: { path: at, type: 'directory', mode, ...common, size: 0 } };
    }
  }
}

function readConfig(rootDir: string, path: string, tree: Tree): { bytes: Buffer; size: number } | undefined {
  if (!isGits(path) || judgeGitPath(path, (other) => tree.has(other)) !== 'goes without credentials') return undefined;
  const { bytes, size } = readSent(rootDir, path, tree) ?? {};
  return bytes === undefined || size === undefined ? undefined : { bytes, size };
}
