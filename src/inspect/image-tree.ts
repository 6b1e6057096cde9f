import { posix } from 'node:path';
import { type Hidden, noteWhiteout, Overlay } from '../attest/packages/overlay.ts';
import { GbuildError } from '../errors.ts';
import type { Layer } from '../oci/layer/layer.ts';
import { type LayerFile, listFiles } from './layer-files.ts';

/** File as a container sees it, and the layer with its content. */
export interface PlacedFile extends LayerFile {
  layer: Layer;
}

/** Limit of Linux (PATH_MAX): an engine can unpack no layer with a longer path. */
const longestPath = 4096;

/**
 * Reads the paths that a container of these layers sees. A hard link is the file that it names; one of type `hardlink`
 * names none. Throws `store-failed` for a path that no container can have.
 */
export async function readImageTree({ layers }: { layers: readonly Layer[] }): Promise<Map<string, PlacedFile>> {
  const overlay = new Overlay<PlacedFile>();
  for (const layer of layers) await putOn(layer, overlay);
  return new Map(overlay.entries());
}

async function putOn(layer: Layer, overlay: Overlay<PlacedFile>): Promise<void> {
  const files = new Map<string, PlacedFile>();
  const hidden: Hidden = { paths: new Set(), folders: new Set() };
  const place = placeBy((path) => files.get(path) ?? overlay.get(path));
  for (const file of await listFiles(layer)) {
    if (file.path.length > longestPath) throw tooLong(file.path, layer);
    const path = place(file.path);
    if (noteWhiteout(path, hidden)) continue;
    if (file.type !== 'directory' && overlay.isInUse(path)) hidden.paths.add(path);
    const target = file.type === 'hardlink' ? place((file.linkTarget ?? '').replace(/^(\.?\/)+/, '')) : path;
    const linked = file.type === 'hardlink' ? (files.get(target) ?? overlay.get(target)) : undefined;
    files.set(path, linked === undefined ? { ...file, path, layer } : { ...linked, path });
  }
  overlay.apply(hidden, files);
}

function tooLong(path: string, { diffId }: Layer): GbuildError {
  const start = JSON.stringify(path.slice(0, 40));
  return new GbuildError('store-failed', `the layer ${diffId} has a path of ${path.length} characters: ${start}...`, {
    facts: { diffId, length: path.length },
  });
}

/** Limit of links: a folder's link may lead through others. */
const mostLinks = 40;

/**
 * Resolves where an engine puts a path: a link in place of one of its folders is followed, such as `bin` to `usr/bin`,
 * unless the layer has that folder itself.
 */
function placeBy(look: (path: string) => PlacedFile | undefined): (path: string) => string {
  const known = new Map<string, string>([['.', '']]);
  const placeFolder = (folder: string, links = 0): string => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const parent = placeFolder(posix.dirname(folder), links);
    const path = posix.join(parent, posix.basename(folder));
    const file = look(path);
    if (file?.type !== 'symlink' || links > mostLinks) return path;
    const target = posix.join('/', file.linkTarget?.startsWith('/') ? '' : parent, file.linkTarget ?? '');
    const placed = target === '/' ? '' : placeFolder(target.slice(1), links + 1);
    known.set(folder, placed);
    return placed;
  };
  return (path) => posix.join(placeFolder(posix.dirname(path)), posix.basename(path));
}
