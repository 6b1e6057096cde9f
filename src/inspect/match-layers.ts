import type { Digest } from '../oci/digest.ts';

/** Layer for matching; `size` in bytes, uncompressed. */
export interface NamedLayer {
  name: string;
  diffId: Digest;
  size: number;
}

/** Layer of two images: in both, in one of them, or under one name with other bytes. */
export interface LayerMatch {
  change: 'same' | 'changed' | 'added' | 'removed';
  before?: NamedLayer;
  after?: NamedLayer;
}

/**
 * Pairs the layers of two images: first equal ones, then those with the same name; the rest was added or removed.
 * Lowest first.
 */
export function matchLayers(before: readonly NamedLayer[], after: readonly NamedLayer[]): LayerMatch[] {
  const left = [...before];
  const take = (fits: (layer: NamedLayer) => boolean) => {
    const at = left.findIndex(fits);
    return at === -1 ? undefined : left.splice(at, 1)[0];
  };
  const equal = after.map((layer) => take(({ diffId }) => diffId === layer.diffId));
  const matches = after.map((layer, index): LayerMatch => {
    if (equal[index] !== undefined) return { change: 'same', before: equal[index], after: layer };
    const old = take(({ name }) => name !== '' && name === layer.name);
    return old === undefined ? { change: 'added', after: layer } : { change: 'changed', before: old, after: layer };
  });
  return [...left.map((layer): LayerMatch => ({ change: 'removed', before: layer })), ...matches];
}
