import type { Package } from '../attest/packages/package.ts';
import type { Digest } from '../oci/digest.ts';
import type { Image } from '../oci/image/image.ts';
import { type ConfigDifference, compareConfigs, compareOrigins } from './compare-configs.ts';
import { comparePackages, type PackageDifference } from './compare-packages.ts';
import { compareTrees, type FileDifference } from './compare-trees.ts';
import { readImageTree } from './image-tree.ts';
import { type LayerMatch, matchLayers, type NamedLayer } from './match-layers.ts';
import { nameLayers } from './report.ts';

/** How two images differ; the lists are empty where they do not. */
export interface ImageDifference {
  /** One image id: the same config and the same layers, however they are compressed. */
  isSame: boolean;
  before: { reference: string; imageId: Digest };
  after: { reference: string; imageId: Digest };
  config: ConfigDifference[];
  /** When and how they were made. */
  origin: ConfigDifference[];
  /** Equal ones too, lowest first. */
  layers: LayerMatch[];
  files: FileDifference[];
  packages: PackageDifference[];
}

/** An image to compare, all its layers by value. */
export interface Compared {
  reference: string;
  image: Image;
  packages: readonly Package[];
}

/** Compares what two images say of themselves, and what a container of each would see. */
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
