import { GbuildError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import { type Access, listParents, packOwned } from '../../oci/layer/owned-layer.ts';
import type { Entry } from '../../oci/tar/entry.ts';
import type { WritableFolders } from '../../plan/image-plan.ts';
import type { OpenLayer } from '../store/open-layers.ts';
import { type CollectedRule, packRules } from './collect-layers.ts';

/** Image below, to read its folders' owners and modes from. */
export interface Below {
  /** Layers of the image below, lowest first. */
  diffIds: readonly Digest[];
  open: OpenLayer;
}

/**
 * Packs all rules. The content of writable folders becomes one layer on top, so that the image holds each byte once.
 */
export async function packWithWritable(
  collected: CollectedRule[],
  { folders, uid, gid }: WritableFolders,
  below: Below,
): Promise<Layer[]> {
  const isInside = ({ path }: Entry) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  // The highest rule wins for a path in several rules.
  const inside = new Map(
    collected.flatMap(({ entries }) => entries.filter(isInside).map((entry) => [entry.path, entry])),
  );
  for (const folder of folders) assertFolder(folder, inside.get(folder));
  const others = collected
    .map((rule) => ({ ...rule, entries: rule.entries.filter((entry) => !isInside(entry)) }))
    .filter(({ entries }) => entries.length > 0);
  const parents = await readParents(folders, others, below);
  const createdBy = 'gbuild layer: writable';
  return [...(await packRules(others)), packOwned(folders, [...inside.values()], { uid, gid, parents, createdBy })];
}

/** Reads the parent folders from the base. Those that the application's layers hold already belong to root. */
async function readParents(
  folders: readonly string[],
  others: CollectedRule[],
  { diffIds, open }: Below,
): Promise<Map<string, Access>> {
  const wanted = new Set(folders.flatMap(listParents));
  for (const { entries } of others)
    for (const { path } of entries) for (const parent of listParents(path)) wanted.delete(parent);
  const found = new Map<string, Access>();
  for (const diffId of wanted.size === 0 ? [] : diffIds) {
    for await (const { header } of open(diffId) ?? []) {
      const path = header.path.replaceAll(/^(\.?\/)+|\/+$/g, '');
      const { uid, gid, mode } = header;
      if (header.type === 'directory' && wanted.has(path)) found.set(path, { uid, gid, mode });
    }
  }
  return found;
}

function assertFolder(folder: string, entry: Entry | undefined): void {
  if (entry === undefined || entry.type === 'directory') return;
  throw new GbuildError(
    'spec-invalid',
    `image.writable names /${folder}, which is a ${entry.type === 'file' ? 'file' : 'symbolic link'} in the image`,
    { suggestions: ['name the folder that it is in under image.writable in gbuild.yml'], facts: { folder } },
  );
}
