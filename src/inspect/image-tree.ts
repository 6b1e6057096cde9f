import { type Hidden, noteWhiteout, Overlay } from '../attest/overlay.ts';
import type { Layer } from '../oci/layer.ts';
import { type LayerFile, listFiles } from './layer-files.ts';

/** A file as a container sees it, and the layer that has its content. */
export interface PlacedFile extends LayerFile {
  layer: Layer;
}

/** The paths that a container of these layers sees. A hard link is the file that it names. */
export async function readImageTree({ layers }: { layers: readonly Layer[] }): Promise<Map<string, PlacedFile>> {
  const overlay = new Overlay<PlacedFile>();
  for (const layer of layers) await putOn(layer, overlay);
  return new Map(overlay.entries());
}

async function putOn(layer: Layer, overlay: Overlay<PlacedFile>): Promise<void> {
  const files = new Map<string, PlacedFile>();
  const hidden: Hidden = { paths: new Set(), folders: new Set() };
  for (const file of await listFiles(layer)) {
    const { path } = file;
    if (noteWhiteout(path, hidden)) continue;
    if (file.type !== 'directory' && overlay.isInUse(path)) hidden.paths.add(path);
    const target = file.type === 'hardlink' ? (file.linkTarget ?? '').replace(/^(\.?\/)+/, '') : path;
    const linked = file.type === 'hardlink' ? (files.get(target) ?? overlay.get(target)) : undefined;
    files.set(path, linked === undefined ? { ...file, layer } : { ...linked, path });
  }
  overlay.apply(hidden, files);
}
