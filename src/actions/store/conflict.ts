import { GbuildError } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import { compareConfigs, labelOf } from '../../inspect/compare-configs.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Image } from '../../oci/image/image.ts';
import { compareLayers } from '../../oci/layer/compare.ts';
import { type ImageSet, isIndexed } from '../../oci/layout/image-set.ts';
import { nameOfPlatform } from '../../oci/platform.ts';
import type { ImageConfig } from '../../oci/spec.ts';
import { asStream } from '../../oci/stream/as-stream.ts';
import { formatDigest } from '../../reporter/format.ts';

/** Image that already has the version. Its layers' bytes are available only when it is in the store. */
export interface ReleasedImage {
  id: string;
  /** Place of the image, as the end of "is released already ...". */
  where: string;
  config: ImageConfig;
  readLayer?: (diffId: Digest) => AsyncIterable<Uint8Array> | undefined;
}

const mostPaths = 5;

/** Refuses to move a version. The error tells for each platform how the released images differ from the new ones. */
export async function refuseSet(reference: string, released: ReleasedImage[], set: ImageSet): Promise<never> {
  const before = new Map(released.map((image) => [nameOfPlatform(image.config), image]));
  const platforms = set.images.map(({ config }) => nameOfPlatform(config));
  const [only] = released;
  if (released.length === 1 && !isIndexed(set)) return refuseRelease(reference, only!, set.images[0]!);
  if ([...before.keys()].sort().join() !== platforms.toSorted().join()) {
    const [was, is] = [[...before.keys()].sort().join(' and '), platforms.join(' and ')];
    throw new GbuildError(
      'release-refused',
      `${reference} is released already for ${was || 'no platform'} (${only?.where ?? 'in the registry'}), and this would be for ${is}`,
      {
        suggestions: ['release the change under a new version'],
        facts: { reference, released: [...before.keys()], wanted: platforms },
      },
    );
  }
  const image = set.images.find(({ id, config }) => before.get(nameOfPlatform(config))?.id !== id) ?? set.images[0]!;
  const platform = nameOfPlatform(image.config);
  return refuseRelease(`${reference} for ${platform}`, before.get(platform)!, image);
}

/** Refuses to move a version. The error tells how the released image differs from the new one. */
async function refuseRelease(reference: string, released: ReleasedImage, image: Image): Promise<never> {
  const differences = await findDifferences(released, image);
  throw new GbuildError(
    'release-refused',
    [
      `${reference} is released already as ${formatDigest(released.id)} (${released.where}), and this would be ${formatDigest(image.id)}:`,
      ...differences.map((difference) => `  ${escapeLine(difference)}`),
    ].join('\n'),
    {
      suggestions: ['release the change under a new version', `git log   # which commit was ${reference}?`],
      facts: { reference, released: released.id, wanted: image.id, differences },
    },
  );
}

async function findDifferences(released: ReleasedImage, image: Image): Promise<string[]> {
  const { config } = released;
  const before = config.rootfs.diff_ids;
  const after = image.config.rootfs.diff_ids;
  const differences = describeConfigs(config, image.config);
  const base = image.baseDiffIds.length;
  // On another base the positions are not comparable: the base's difference comes first and replaces them.
  if (before.slice(0, base).join() !== image.baseDiffIds.join()) {
    return [`base: ${describeBase(config)}, now ${describeBase(image.config)}`, ...differences];
  }
  const layers: string[] = [];
  const count = Math.max(before.length, after.length);
  for (let index = base; index < count && layers.length < mostPaths; index += 1) {
    if (before[index] !== after[index]) layers.push(...(await describeLayer(released, image, index)));
  }
  const all = [...layers, ...differences];
  return all.length > 0 ? all : ['how it was made: the times or the history of its config'];
}

function describeBase({ config }: ImageConfig): string {
  const name = config.Labels?.[labelOf('base.name')];
  const digest = config.Labels?.[labelOf('base.digest')];
  return digest === undefined ? 'another base image' : `${name} (${formatDigest(digest)})`;
}

async function describeLayer(released: ReleasedImage, image: Image, index: number): Promise<string[]> {
  const layer = image.layers[index - image.baseDiffIds.length];
  const oldId = released.config.rootfs.diff_ids[index];
  const name = layer?.createdBy ?? `layer ${index + 1}`;
  if (layer === undefined || oldId === undefined) return [`${name}: ${layer ? 'was not there' : 'is gone'}`];
  const old = released.readLayer?.(oldId);
  if (old === undefined) return [`${name}: other bytes (${formatDigest(oldId)}, now ${formatDigest(layer.diffId)})`];
  const paths = await compareLayers(old, asStream(layer.chunks()));
  const shown = paths.slice(0, mostPaths).map(({ path, change }) => `${name}: ${change} ${path}`);
  return paths.length > mostPaths ? [...shown, `${name}: and ${paths.length - mostPaths} more paths`] : shown;
}

/** Describes how two configs differ. Leaves out the labels that name the base: the layers show that. */
export function describeConfigs(before: ImageConfig, after: ImageConfig): string[] {
  return compareConfigs(before, after)
    .filter(({ what }) => !what.startsWith(`label ${labelOf('base.')}`))
    .map(({ what, before: old, after: now }) => `${what}: ${old}, now ${now}`);
}
