import { GbuildError } from '../../../errors.ts';
import { ownerText, readOwner } from '../../../fs/process-owner.ts';
import { withTempDir } from '../../../fs/temp-dir.ts';
import type { Host, Stop } from '../../../host.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Image } from '../../../oci/image/image.ts';
import type { Layer } from '../../../oci/layer/layer.ts';
import { findLayer } from '../../../oci/layout/copy.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import type { ImageConfig } from '../../../oci/spec.ts';
import { pullImage, type RemoteImage } from '../../../registry/image/pull-image.ts';
import type { Progress } from '../../../reporter/progress.ts';
import { factsAnnotation, factsOfLabels, type LabelledFacts, parseFacts } from '../../image/facts.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { type FoundHere, type FoundThere, findRelease, listReleaseImages } from '../../store/find-release.ts';
import type { OpenLayer } from '../../store/open-layers.ts';
import { type SplitRelease, splitRelease } from './split-release.ts';

/** Release split into base and application, the application's layers by value. */
export interface OpenedRelease extends SplitRelease {
  reference: string;
  imageId: Digest;
  config: ImageConfig;
  layers: Layer[];
  /** Facts that the release was made of; for a release from a registry, those of its labels. */
  facts: LabelledFacts | undefined;
  /** Opens any layer, also the base's. */
  open: OpenLayer;
}

export interface OpenReleaseRequest {
  host: Host;
  progress: Progress;
  stop: Stop;
  store: Layout;
  name: string;
  version: string;
  /** Registry to ask where the store lacks the release. */
  registry: string | undefined;
}

/** Lends the release of the store, else of the registry. The registry's layers lie on disk while the work is done. */
export async function withRelease<T>(
  request: OpenReleaseRequest,
  work: (release: OpenedRelease) => Promise<T>,
): Promise<T> {
  const { store, name, version, registry } = request;
  const here = await findRelease({ name, version, store });
  if (here !== undefined) return workOnStored(request, here, work);
  if (registry === undefined) throw notThere(`${name}:${version}`, store.dir);
  return withRegistries(request, async (registries) => {
    const there = await findRelease({ name, version, repository: registries.repository({ registry, path: name }) });
    if (there === undefined) throw notThere(`${name}:${version}`, `${store.dir} and ${registry}`);
    return workOnPulled(request, there, work);
  });
}

async function workOnStored<T>(
  { name, version }: OpenReleaseRequest,
  found: FoundHere,
  work: (release: OpenedRelease) => Promise<T>,
): Promise<T> {
  const reference = `${name}:${version}`;
  const { store, descriptor } = found;
  const { manifest, config, open } = onlyImage(reference, listReleaseImages(found));
  const split = await splitRelease(reference, config, store);
  const layers = split.own.map(({ diffId, createdBy }) => layerOfStore(store, diffId, createdBy, manifest.layers));
  const facts = parseFacts(descriptor.annotations?.[factsAnnotation]);
  return work({ ...split, reference, imageId: manifest.config.digest, config, layers, facts, open });
}

/**
 * Returns the only image. An index must be built again instead: each of its images would need a base of its platform.
 */
function onlyImage<T>(reference: string, images: T[]): T {
  const [only, ...others] = images;
  if (only !== undefined && others.length === 0) return only;
  throw new GbuildError(
    'release-refused',
    `${reference} is an index of ${images.length} images by platform, and only a single image is put on another base`,
    {
      suggestions: ['gbuild lock --update, then gbuild image --release 1.0.2   # builds all of them on new bases'],
      facts: { reference, images: images.length },
    },
  );
}

function layerOfStore(
  store: Layout,
  diffId: Digest,
  createdBy: string,
  layers: { digest: Digest; size: number }[],
): Layer {
  const size = layers.find(({ digest }) => digest === diffId)?.size ?? 0;
  const layer = store.hasBlob(diffId, size) ? findLayer(store, diffId) : undefined;
  if (layer !== undefined) return { ...layer, createdBy };
  throw store.damage(`the layer ${diffId} is not in ${JSON.stringify(store.dir)}`, diffId);
}

async function workOnPulled<T>(
  { host, progress, store, name, version }: OpenReleaseRequest,
  found: FoundThere,
  work: (release: OpenedRelease) => Promise<T>,
): Promise<T> {
  const reference = `${name}:${version}`;
  const remote = onlyImage(reference, found.images);
  const split = await splitRelease(reference, remote.config, store);
  return withTempDir(host, `${ownerText(readOwner())}.rebase`, async (tempDir) => {
    const title = `pulling ${reference} from ${found.repository.registry}`;
    const pulled = await progress.step(title, () => pullOwn(remote, split, tempDir));
    const layers = pulled.layers.slice(split.baseDiffIds.length);
    const { open } = onlyImage(reference, listReleaseImages(found));
    const { config, manifest } = remote;
    const facts = factsOfLabels(config);
    return work({ ...split, reference, imageId: manifest.config.digest, config, layers, facts, open });
  });
}

/** Pulls the application's layers only: the base's layers are not read. */
function pullOwn(remote: RemoteImage, { baseDiffIds }: SplitRelease, tempDir: string): Promise<Image> {
  const find = (diffId: Digest): Layer | undefined =>
    baseDiffIds.includes(diffId) ? { diffId, size: 0, createdBy: '', chunks: () => [] } : undefined;
  return pullImage(remote, { tempDir, find });
}

function notThere(reference: string, where: string): GbuildError {
  return new GbuildError('usage', `there is no release ${reference} in ${where}`, {
    suggestions: [
      'gbuild releases --all',
      `gbuild rebase ${reference} --release 1.0.2 --registry registry.example.com`,
    ],
    facts: { reference, where },
  });
}
