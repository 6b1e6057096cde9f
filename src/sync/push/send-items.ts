import { statSync } from 'node:fs';
import { GbuildError, messageOf } from '../../errors.ts';
import type { TarItem } from '../../oci/tar/tar.ts';
import type { HashedContent } from '../read/hash-file.ts';
import { readSent } from '../read/read-sent.ts';
import type { Node, Tree } from '../tree/tree.ts';

export interface FileOwner {
  uid: number;
  gid: number;
}

interface ItemsInput {
  rootDir: string;
  paths: string[];
  local: Tree;
  owner: FileOwner;
  /**
   * Whether times are exact to the nanosecond: an edit within the same second as a build must look newer than the
   * build's output.
   */
  exact: boolean;
  /** Receives the digest of each file. */
  contents: Map<string, string>;
}

/** Yields the items, first the folder of the workspace itself: a new volume's folder belongs to root. */
export function* readItems({ rootDir, paths, local, owner, exact, contents }: ItemsInput): Generator<TarItem> {
  yield rootItem(rootDir, owner);
  for (const path of paths) {
    const node = local.get(path)!;
    const content = node.kind === 'file' ? readFile(rootDir, path, local) : undefined;
    if (node.kind === 'file' && content === undefined) continue;
    if (content !== undefined) contents.set(path, content.digest);
    const { size = 0, bytes } = content ?? {};
    const header = { ...headerOf(path, node, exact), ...owner, size };
    const source = bytes === undefined ? { hostFile: `${rootDir}/${path}`, size } : { bytes, size };
    yield content === undefined ? { header } : { header, content: source };
  }
}

/** Returns the folder of the workspace itself. */
export function rootItem(rootDir: string, owner: FileOwner): TarItem {
  const { mode, mtimeMs } = statSync(rootDir);
  const mtime = Math.floor(mtimeMs / 1000);
  return { header: { path: '', type: 'directory', mode: mode & 0o777, ...owner, mtime, size: 0 } };
}

function headerOf(path: string, { kind, mode, mtime = 0, target }: Node, exact: boolean) {
  const seconds = Math.floor(mtime / 1000);
  const records = { mtime: Buffer.from((mtime / 1000).toFixed(6)) };
  return {
    path,
    type: kind as 'file' | 'directory' | 'symlink',
    mode,
    mtime: seconds,
    ...(target !== undefined && { linkTarget: target }),
    ...(exact && kind === 'file' && mtime > 0 && { records }),
  };
}

function readFile(rootDir: string, path: string, local: Tree): HashedContent | undefined {
  try {
    return readSent(rootDir, path, local);
  } catch (cause) {
    const hostFile = `${rootDir}/${path}`;
    throw new GbuildError(
      'workspace-unreadable',
      `${JSON.stringify(hostFile)} cannot be read, so it cannot be sent to the engine: ${messageOf(cause)}`,
      {
        cause,
        suggestions: [`chmod u+r ${JSON.stringify(hostFile)}`, 'list it in .gitignore'],
        facts: { path: hostFile },
      },
    );
  }
}
