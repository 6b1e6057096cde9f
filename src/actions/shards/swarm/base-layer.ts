import { dirname } from 'node:path/posix';
import { constantTime, type Layer, layerOfItems } from '../../../oci/layer/layer.ts';
import type { TarItem } from '../../../oci/tar/tar.ts';
import { sourceMark } from '../../../plan/shard-script.ts';
import type { PlannedContainer } from '../../run/container/container-plan.ts';

type BaseLayerFile = { path: string; mode: number; uid: number; gid: number; content?: Buffer };

/**
 * Packs what is the same in each container and not secret: user tables, CA roots, folders that its user may write to.
 */
export function packBaseLayer({ spec, fixedFiles }: PlannedContainer): Layer {
  const root = { uid: 0, gid: 0 };
  const files: BaseLayerFile[] = [
    { path: sourceMark, mode: 0o444, ...root, content: Buffer.alloc(0) },
    ...fixedFiles
      .filter(({ isPrivate }) => isPrivate !== true)
      .map(({ path, content }) => ({ path, mode: 0o644, ...root, content: Buffer.from(content) })),
    ...spec.files.filter(({ type }) => type === 'directory'),
  ];
  const all = new Map(files.map((file) => [file.path, file]));
  for (const { path } of files) addFolders(all, dirname(path));
  const sorted = [...all.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  const expected = sorted.reduce((sum, { content }) => sum + 512 + (content?.length ?? 0), 0);
  return layerOfItems(() => sorted.map(itemOf), { expected, createdBy: 'gbuild ground' });
}

/** Adds the folders above a file: without them the engine would choose their mode. */
function addFolders(all: Map<string, BaseLayerFile>, path: string): void {
  if (path === '/' || all.has(path)) return;
  all.set(path, { path, mode: 0o755, uid: 0, gid: 0 });
  addFolders(all, dirname(path));
}

function itemOf({ path, mode, uid, gid, content }: BaseLayerFile): TarItem {
  const common = { path: path.slice(1), mode, uid, gid, mtime: constantTime };
  if (content === undefined) return { header: { ...common, type: 'directory', size: 0 } };
  const size = content.length;
  return { header: { ...common, type: 'file', size }, content: { bytes: content, size } };
}
