import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readCached, writeCached } from '../../../fs/cached-file.ts';
import { removeAny } from '../../../fs/replace-file.ts';
import type { Host } from '../../../host.ts';
import { type PlacedFile, readImageTree } from '../../../inspect/image-tree.ts';
import type { Layer } from '../../../oci/layer/layer.ts';
import { findLayer } from '../../../oci/layout/copy.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import type { KnownBase } from './read-base.ts';

const format = 'base-tree 2';
const mostKept = 20;

/** One row for each path: the fields of PlacedFile, with the layer's number. */
type Row = [string, PlacedFile['type'], number, number, number, number, number, number, number, string?];

/**
 * Reads the paths of a base in the store. Walking its layers takes half a second and more, so the result is cached by
 * the base's digest. Undefined where the store lost a layer.
 */
export async function readBaseTree(
  { manifestDigest, config }: Pick<KnownBase, 'manifestDigest' | 'config'>,
  store: Layout,
  host: Pick<Host, 'cacheDir'>,
): Promise<ReadonlyMap<string, PlacedFile> | undefined> {
  const layers = config.rootfs.diff_ids.map((diffId) => findLayer(store, diffId));
  if (!layers.every((layer) => layer !== undefined)) return undefined;
  const dir = join(host.cacheDir, 'base-trees');
  const file = join(dir, `${manifestDigest.slice('sha256:'.length)}.json`);
  const kept = readCached(file, format);
  if (kept !== undefined) return parseRows(JSON.parse(kept) as Row[], layers);
  const tree = await readImageTree({ layers });
  pruneTrees(dir);
  writeCached(file, format, JSON.stringify(formatRows(tree, layers)));
  return tree;
}

function formatRows(tree: ReadonlyMap<string, PlacedFile>, layers: Layer[]): Row[] {
  const numbers = new Map(layers.map((layer, index) => [layer, index]));
  return [...tree.values()].map(({ path, type, mode, uid, gid, size, offset, mtime, linkTarget, layer }) => {
    const row = [path, type, mode, uid, gid, size, offset, mtime, numbers.get(layer)!] as const;
    return linkTarget === undefined ? [...row] : [...row, linkTarget];
  });
}

function parseRows(rows: Row[], layers: Layer[]): Map<string, PlacedFile> {
  const placed = rows.map(
    ([path, type, mode, uid, gid, size, offset, mtime, number, linkTarget]): [string, PlacedFile] => {
      const layer = layers[number]!;
      const file = { path, type, mode, uid, gid, size, offset, mtime, layer };
      return [path, linkTarget === undefined ? file : { ...file, linkTarget }];
    },
  );
  return new Map(placed);
}

/** Removes the cached trees except those of the bases that were read last. */
function pruneTrees(dir: string): void {
  const files = readNames(dir).map((name) => join(dir, name));
  const writtenAt = new Map(files.map((file) => [file, statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  const old = files.sort((left, right) => writtenAt.get(right)! - writtenAt.get(left)!).slice(mostKept - 1);
  for (const file of old) removeAny(file);
}

function readNames(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
