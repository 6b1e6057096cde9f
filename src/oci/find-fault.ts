import { isDigest } from './digest.ts';
import type { ImageConfig, Manifest } from './spec.ts';

/**
 * Why a config that somebody else wrote cannot be that of an image of so many layers; undefined where it can. Digests become
 * names of files: none may be anything else.
 */
export function findFault(config: ImageConfig, layerCount: number): string | undefined {
  const diffIds: unknown = config?.rootfs?.diff_ids;
  if (!Array.isArray(diffIds)) return 'its config has no list of diffIDs';
  const other = findWrongSetting(config);
  if (other !== undefined) return `${other} of its config is not what it should be`;
  return (
    findWrong(diffIds) ??
    (diffIds.length === layerCount ? undefined : `it has ${layerCount} layers for ${diffIds.length} diffIDs`)
  );
}

/** The same of a manifest and its config. */
export function findManifestFault({ layers }: Manifest, config: ImageConfig): string | undefined {
  if (!Array.isArray(layers)) return 'its manifest has no list of layers';
  return findFault(config, layers.length) ?? findWrong(layers.map((layer) => layer?.digest));
}

/** What those who read the config count on. */
function findWrongSetting({ config, history }: ImageConfig): string | undefined {
  const { Env, Entrypoint, Cmd, Labels } = config ?? {};
  const lists = Object.entries({ Env, Entrypoint, Cmd }).find(([, value]) => !isListOfTexts(value ?? []));
  if (lists !== undefined) return lists[0];
  if (!isListOfTexts(Object.values(Labels ?? {}))) return 'Labels';
  const isHistory = Array.isArray(history ?? []) && (history ?? []).every(isEntry);
  return isHistory ? undefined : 'history';
}

function isEntry(entry: unknown): boolean {
  const { created_by = '' } = (entry ?? { created_by: null }) as { created_by?: unknown };
  return typeof created_by === 'string';
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function findWrong(digests: unknown[]): string | undefined {
  const wrong = digests.filter((digest) => typeof digest !== 'string' || !isDigest(digest));
  return wrong.length === 0 ? undefined : `${JSON.stringify(wrong[0])} in it is no digest`;
}
