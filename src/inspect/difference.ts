import type { Package } from '../attest/packages/package.ts';
import type { Digest } from '../oci/digest.ts';
import type { Image } from '../oci/image/image.ts';
import { type ConfigDifference, compareConfigs, compareOrigins } from './compare-configs.ts';
import { comparePackages, type PackageDifference } from './compare-packages.ts';
import { compareTrees, type FileDifference } from './compare-trees.ts';
import { readImageTree } from './image-tree.ts';
import { type LayerMatch, matchLayers, type NamedLayer } from './match-layers.ts';
import { nameLayers } from './report.ts';

/** Difference of two images; the lists are empty where they agree. */
export interface ImageDifference {
  /** Whether they have one image id: the same config and the same layers, in any compression. */
  isSame: boolean;
  before: { reference: string; imageId: Digest };
  after: { reference: string; imageId: Digest };
  config: ConfigDifference[];
  /** Differences of their making. */
  origin: ConfigDifference[];
  /** Layers, equal ones too, lowest first. */
  layers: LayerMatch[];
  files: FileDifference[];
  packages: PackageDifference[];
}

/** Image to compare, all its layers by value. */
export interface Compared {
  reference: string;
  image: Image;
  packages: readonly Package[];
}

/** Compares the configs of two images, and the files that their containers would see. */
export async function compareImages(before: Compared, after: Compared): Promise<ImageDifference> {
  const [old, now] = [before.image, after.image];
  return {
    isSame: old.id === now.id,
    before: { reference: before.reference, imageId: old.id },
    after: { reference: after.reference, imageId: now.id },
    config: compareConfigs(old.config, now.config),
    origin: compareOrigins(old.config, now.config),
    layers: matchLayers(listLayers(old), listLayers(now)),
    files: await compareTrees(await readImageTree(old), await readImageTree(now)),
    packages: comparePackages(before.packages, after.packages),
  };
}

function listLayers({ config, layers }: Image): NamedLayer[] {
  const names = nameLayers(config);
  return layers.map(({ diffId, size }, index) => ({ name: names[index] ?? '', diffId, size }));
}
