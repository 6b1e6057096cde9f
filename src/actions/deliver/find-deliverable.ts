import { isDeepStrictEqual } from 'node:util';
import type { DeliveredImage } from '../../deliver/delivered-image.ts';
import { refuseDelivery } from '../../deliver/refuse.ts';
import type { AnyTarget } from '../../deliver/target.ts';
import { GbuildError } from '../../errors.ts';
import { ownerText, readOwner } from '../../fs/process-owner.ts';
import { withTempDir } from '../../fs/temp-dir.ts';
import type { Image } from '../../oci/image/image.ts';
import { findLayer, readImage } from '../../oci/layout/copy.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import { nameOfPlatform } from '../../oci/platform.ts';
import type { ImageConfig, Manifest } from '../../oci/spec.ts';
import { pullImage, type RemoteImage } from '../../registry/image/pull-image.ts';
import { nameManifest } from '../../registry/manifest/parse-manifest.ts';
import { withRegistries } from '../session/open-registries.ts';
import { type FoundHere, type FoundThere, findRelease } from '../store/find-release.ts';
import { openStore } from '../store/store.ts';
import type { DeliverRequest } from './request.ts';

/** Release that a target can take. */
export interface Deliverable {
  image: DeliveredImage;
  /** Reads the whole image, all layers by value. */
  readWhole(): Promise<Image>;
}

export interface WantedDelivery {
  name: string;
  version: string;
  /** Registry as HOST or HOST:PORT, where one is named. */
  registry: string | undefined;
  kind: AnyTarget;
  target: string;
}

/**
 * Lends the release: from the store, else from the registry. A target that pulls gets its place in the registry, which
 * must hold this very image.
 */
export async function withDeliverable<T>(
  request: DeliverRequest,
  wanted: WantedDelivery,
  work: (deliverable: Deliverable) => Promise<T>,
): Promise<T> {
  const { name, version, registry, kind } = wanted;
  const store = await openStore(request.host);
  const here = await findRelease({ name, version, store });
  const pulls = kind.takes === 'digest' || kind.takes === 'tag';
  if (here !== undefined && !pulls) return work(describeHere(request, wanted, here));
  if (registry === undefined) throw here === undefined ? notThere(wanted, store.dir) : onlyLocal(wanted);
  return withRegistries(request, async (registries) => {
    const there = await findRelease({ name, version, repository: registries.repository({ registry, path: name }) });
    if (there === undefined) throw here === undefined ? notThere(wanted, store.dir) : onlyLocal(wanted);
    if (here !== undefined) assertSame(wanted, here, there);
    return withThere(request, wanted, there, store, work);
  });
}

function describeHere(request: DeliverRequest, wanted: WantedDelivery, found: FoundHere): Deliverable {
  const chosen = chooseImage(request, wanted, found.images);
  const image = describe(wanted, chosen, isSingle(request, wanted, found.images));
  return { image, readWhole: () => readImage(found.store, chosen.descriptor.digest) };
}

function withThere<T>(
  request: DeliverRequest,
  wanted: WantedDelivery,
  found: FoundThere,
  store: Layout,
  work: (deliverable: Deliverable) => Promise<T>,
): Promise<T> {
  const chosen = chooseImage(request, wanted, found.images);
  const isOne = isSingle(request, wanted, found.images);
  const { digest } = isOne ? chosen.descriptor : found.descriptor;
  const published = { repository: found.repository.name, digest };
  const image = { ...describe(wanted, chosen, isOne), published };
  return withTempDir(request.host, `${ownerText(readOwner())}.deliver`, (tempDir) =>
    work({ image, readWhole: () => pull(request, chosen, store, tempDir) }),
  );
}

function pull(request: DeliverRequest, remote: RemoteImage, store: Layout, tempDir: string): Promise<Image> {
  const title = `pulling ${nameManifest({ name: remote.repository.name, reference: remote.descriptor.digest })}`;
  return request.progress.step(title, () => pullImage(remote, { tempDir, find: (diffId) => findLayer(store, diffId) }));
}

interface OneImage {
  manifest: Manifest;
  config: ImageConfig;
}

/** Whether one image is delivered, and not the index of all. */
function isSingle({ platform }: DeliverRequest, { kind }: WantedDelivery, images: readonly OneImage[]): boolean {
  return kind.takesOnePlatform || platform !== undefined || images.length === 1;
}

/** Chooses the only image, or the one of the requested platform. */
function chooseImage<T extends OneImage>(
  { platform }: DeliverRequest,
  { name, version, kind, target }: WantedDelivery,
  images: readonly T[],
): T {
  const there = images.map(({ config }) => nameOfPlatform(config));
  if (platform !== undefined && kind.takes === 'tag' && images.length > 1)
    throw refuseDelivery({ name, version }, target, `it pulls by tag, which means the index of ${there.join(', ')}`, [
      'leave out --platform: the machine that runs it takes its own',
    ]);
  const asked = platform === undefined ? images : images.filter((_, index) => there[index] === platform);
  const [first] = asked;
  const isClear = asked.length === 1 || (platform === undefined && !kind.takesOnePlatform);
  if (first !== undefined && isClear) return first;
  const release = `${name}:${version}`;
  const why =
    platform === undefined
      ? `it takes one platform, and the release has ${there.join(', ')}`
      : `the release has ${there.join(', ')}, not ${platform}`;
  throw refuseDelivery(
    { name, version },
    target,
    why,
    there.slice(0, 2).map((each) => `gbuild deliver ${target} ${release} --platform ${each}`),
  );
}

function describe({ name, version }: WantedDelivery, { manifest, config }: OneImage, isOne: boolean): DeliveredImage {
  const commit = config.config.Labels?.['org.opencontainers.image.revision'];
  return {
    name,
    version,
    imageId: manifest.config.digest,
    config: config.config,
    ...(isOne && { platform: nameOfPlatform(config) }),
    ...(config.created !== undefined && { created: config.created }),
    ...(commit !== undefined && { commit }),
  };
}

function assertSame({ name, version }: WantedDelivery, here: FoundHere, there: FoundThere): void {
  const [ours, theirs] = [here.images, there.images].map((images) =>
    images.map(({ manifest }) => manifest.config.digest).sort(),
  );
  if (isDeepStrictEqual(ours, theirs)) return;
  const release = `${name}:${version}`;
  const { name: repository } = there.repository;
  throw new GbuildError(
    'delivery-refused',
    `${repository}:${version} is another image than ${release} of this machine: ${theirs?.join(', ')} there, ${ours?.join(', ')} here`,
    {
      suggestions: [`gbuild diff ${release} ${repository}:${version}`],
      facts: { release, repository, ours, theirs },
    },
  );
}

function onlyLocal({ name, version, registry, target }: WantedDelivery): GbuildError {
  const release = `${name}:${version}`;
  const where = registry === undefined ? 'and nothing names a registry' : `and ${registry} does not have it`;
  return new GbuildError(
    'delivery-refused',
    `${target} pulls the image, ${where}: ${release} is only on this machine`,
    {
      suggestions: [`gbuild push ${release} --registry ${registry ?? 'registry.example.com'}`],
      facts: { release, registry, target },
    },
  );
}

function notThere({ name, version, registry }: WantedDelivery, storeDir: string): GbuildError {
  const release = `${name}:${version}`;
  const places = registry === undefined ? storeDir : `${storeDir} and ${registry}`;
  return new GbuildError('usage', `there is no release ${release} in ${places}`, {
    suggestions: ['gbuild releases', `gbuild image --release ${version} --push`],
    facts: { release, registry },
  });
}
