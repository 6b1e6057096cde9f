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
import type { Registries } from '../../../registry/registries.ts';
import type { Progress } from '../../../reporter/progress.ts';
import { layersOfRemote, layersOfStore, type OpenLayer } from '../../image/base/base-packages.ts';
import { factsAnnotation, factsOfLabels, type LabelledFacts, parseFacts } from '../../image/facts.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { readRemoteSet } from '../../store/remote-set.ts';
import { findStored } from '../../store/store.ts';
import { type SplitRelease, splitRelease } from './split-release.ts';

/** A release taken apart: the application's layers by value. */
export interface OpenedRelease extends SplitRelease {
  reference: string;
  imageId: Digest;
  config: ImageConfig;
  layers: Layer[];
  /** Facts that it was made of; of one taken from a registry, as its labels say. */
  facts: LabelledFacts | undefined;
  /** Its base's layers, too. */
  open: OpenLayer;
}

export interface OpenReleaseRequest {
  host: Host;
  progress: Progress;
  stop: Stop;
  store: Layout;
  name: string;
  version: string;
  /** Asked where the store has no such release. */
  registry: string | undefined;
}

/** Lends the release of the store, else of the registry, whose layers lie on disk while the work is done. */
export async function withRelease<T>(
  request: OpenReleaseRequest,
  work: (release: OpenedRelease) => Promise<T>,
): Promise<T> {
  const { store, name, version, registry } = request;
  const reference = `${name}:${version}`;
  const stored = await findStored(store, reference);
  if (stored !== undefined) {
    const { manifest, config } = onlyImage(reference, stored);
    const split = await splitRelease(reference, config, store);
    const layers = split.own.map(({ diffId, createdBy }) => layerOfStore(store, diffId, createdBy, manifest.layers));
    const facts = parseFacts(stored.descriptor.annotations?.[factsAnnotation]);
    return work({
      ...split,
      reference,
      imageId: manifest.config.digest,
      config,
      layers,
      facts,
      open: layersOfStore(store),
    });
  }
  if (registry === undefined) throw notThere(reference, store.dir);
  return withRegistries(request, (registries) => workOnPulled(request, registries, registry, work));
}

/** Returns the only image. An index is rebased by building it again: each of its images would need a base of its own platform. */
function onlyImage<T>(reference: string, { images }: { images: T[] }): T {
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
  request: OpenReleaseRequest,
  registries: Registries,
  registry: string,
  work: (release: OpenedRelease) => Promise<T>,
): Promise<T> {
  const { host, progress, store, name, version } = request;
  const reference = `${name}:${version}`;
  const found = await readRemoteSet(registries.repository({ registry, path: name }), version);
  if (found === undefined) throw notThere(reference, `${store.dir} and ${registry}`);
  const remote = onlyImage(reference, found);
  const split = await splitRelease(reference, remote.config, store);
  return withTempDir(host, `${ownerText(readOwner())}.rebase`, async (tempDir) => {
    const pulled = await progress.step(`pulling ${reference} from ${registry}`, () => pullOwn(remote, split, tempDir));
    const layers = pulled.layers.slice(split.baseDiffIds.length);
    const open = layersOfRemote(remote);
    const { config, manifest } = remote;
    const facts = factsOfLabels(config);
    return work({ ...split, reference, imageId: manifest.config.digest, config, layers, facts, open });
  });
}

/** The base's layers stay where they are: nobody reads them. */
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
