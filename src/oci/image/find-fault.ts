import { isDigest } from '../digest.ts';

/**
 * Explains why a foreign config cannot belong to an image of so many layers; undefined where it can. Digests become
 * file names, so their form is checked.
 */
export function findConfigFault(config: object, layerCount?: number): string | undefined {
  const { diff_ids: diffIds } = ((config as { rootfs?: unknown }).rootfs ?? {}) as { diff_ids?: unknown };
  if (!Array.isArray(diffIds)) return 'its config has no list of diffIDs';
  const other = findWrongSetting(config);
  if (other !== undefined) return `${other} of its config is not what it should be`;
  const wrong = diffIds.find((digest) => typeof digest !== 'string' || !isDigest(digest));
  if (wrong !== undefined) return `${JSON.stringify(wrong)} in it is not a digest`;
  if (layerCount === undefined || diffIds.length === layerCount) return undefined;
  return `it has ${layerCount} layers for ${diffIds.length} diffIDs`;
}

/**
 * Explains why JSON is not shaped like a manifest; undefined where it is. Whether it describes an image is not checked
 * here.
 */
export function findManifestFault(manifest: object): string | undefined {
  const { config, layers } = manifest as { config?: unknown; layers?: unknown };
  if (!Array.isArray(layers)) return 'it has no list of layers';
  const wrong = [config, ...layers].findIndex((each) => !isDescriptor(each));
  if (wrong === -1) return undefined;
  return `${wrong === 0 ? 'its config' : `its layer ${wrong}`} is not a descriptor with a mediaType, a digest and a size`;
}

/** Explains why JSON is not shaped like an index; undefined where it is. */
export function findIndexFault(index: object): string | undefined {
  const { manifests } = index as { manifests?: unknown };
  if (!Array.isArray(manifests)) return 'it has no list of manifests';
  const wrong = manifests.findIndex((each) => !isListed(each));
  return wrong === -1 ? undefined : `what it lists as number ${wrong + 1} is not a descriptor`;
}

function isDescriptor(value: unknown): boolean {
  const { mediaType, digest, size, annotations } = (value ?? {}) as Record<string, unknown>;
  const isKnown = typeof mediaType === 'string' && typeof digest === 'string' && isDigest(digest);
  return (
    isKnown && Number.isSafeInteger(size) && (size as number) >= 0 && isListOfTexts(Object.values(annotations ?? {}))
  );
}

/** Whether the value is a valid entry; its digest may use an algorithm that gbuild does not know. */
function isListed(value: unknown): boolean {
  const { digest, platform } = (value ?? {}) as Record<string, unknown>;
  const { os = '', architecture = '', variant = '' } = (platform ?? {}) as Record<string, unknown>;
  return typeof digest === 'string' && isListOfTexts([os, architecture, variant]);
}

/** Finds a setting that readers of the config would fail on. */
function findWrongSetting(json: object): string | undefined {
  const { config, history, os = '', architecture = '', variant = '' } = json as Record<string, unknown>;
  if (!isListOfTexts([os, architecture, variant])) return 'the platform';
  const { Env, Entrypoint, Cmd, Labels } = (config ?? {}) as Record<string, unknown>;
  const lists = Object.entries({ Env, Entrypoint, Cmd }).find(([, value]) => !isListOfTexts(value ?? []));
  if (lists !== undefined) return lists[0];
  if (!isListOfTexts(Object.values(Labels ?? {}))) return 'Labels';
  const entries = history ?? [];
  return Array.isArray(entries) && entries.every(isEntry) ? undefined : 'history';
}

function isEntry(entry: unknown): boolean {
  const { created_by = '' } = (entry ?? { created_by: null }) as { created_by?: unknown };
  return typeof created_by === 'string';
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
