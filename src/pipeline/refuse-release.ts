import { GbuildError } from '../errors.ts';
import { compareLayers } from '../oci/compare.ts';
import type { Digest } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import type { ImageConfig } from '../oci/spec.ts';
import { formatDigest } from '../reporter/format.ts';

/** The image that bears the version already. Its layers' bytes are there only when it is in our store. */
export interface ReleasedImage {
  id: string;
  config?: ImageConfig;
  readLayer?: (diffId: Digest) => AsyncIterable<Uint8Array> | undefined;
}

const mostPaths = 5;

/** A version never moves: says where the image that has it and the one that wants it part. */
export async function refuseRelease(reference: string, released: ReleasedImage, image: Image): Promise<never> {
  const differences = await findDifferences(released, image);
  throw new GbuildError(
    'release-refused',
    [
      `${reference} is released already as ${formatDigest(released.id)}, and this would be ${formatDigest(image.id)}:`,
      ...differences.map((difference) => `  ${difference}`),
    ].join('\n'),
    {
      suggestions: ['release the change under a new version', `git log   # which commit was ${reference}?`],
      facts: { reference, released: released.id, wanted: image.id, differences },
    },
  );
}

async function findDifferences(released: ReleasedImage, image: Image): Promise<string[]> {
  const { config } = released;
  if (config === undefined) return ['it is on the engine only, and was not released by this store'];
  const differences: string[] = [];
  const before = config.rootfs.diff_ids;
  const after = image.config.rootfs.diff_ids;
  const base = image.baseDiffIds.length;
  if (before.slice(0, base).join() !== image.baseDiffIds.join())
    differences.push('base: it stands on another base image');
  const shared = Math.max(before.length, after.length);
  for (let index = base; index < shared && differences.length < mostPaths; index += 1) {
    if (before[index] === after[index]) continue;
    differences.push(...(await describeLayer(released, image, index)));
  }
  for (const [what, old, now] of describeConfigs(config, image.config)) {
    if (old !== now) differences.push(`${what}: ${old ?? '(none)'}, now ${now ?? '(none)'}`);
  }
  return differences;
}

async function describeLayer(released: ReleasedImage, image: Image, index: number): Promise<string[]> {
  const layer = image.layers[index - image.baseDiffIds.length];
  const oldId = released.config?.rootfs.diff_ids[index];
  const name = layer?.createdBy ?? `layer ${index + 1}`;
  if (layer === undefined || oldId === undefined) return [`${name}: ${layer ? 'was not there' : 'is gone'}`];
  const old = released.readLayer?.(oldId);
  if (old === undefined) return [`${name}: other bytes (${formatDigest(oldId)}, now ${formatDigest(layer.diffId)})`];
  const paths = await compareLayers(old, toAsync(layer.chunks()));
  const shown = paths.slice(0, mostPaths).map(({ path, change }) => `${name}: ${change} ${path}`);
  return paths.length > mostPaths ? [...shown, `${name}: and ${paths.length - mostPaths} more paths`] : shown;
}

function describeConfigs(before: ImageConfig, after: ImageConfig): [string, string | undefined, string | undefined][] {
  const revision = 'org.opencontainers.image.revision';
  const text = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
  return [
    ['commit', before.config.Labels?.[revision], after.config.Labels?.[revision]],
    ['entrypoint', text(before.config.Entrypoint), text(after.config.Entrypoint)],
    ['cmd', text(before.config.Cmd), text(after.config.Cmd)],
    ['env', text(before.config.Env), text(after.config.Env)],
    ['user', before.config.User, after.config.User],
  ];
}

async function* toAsync(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}
