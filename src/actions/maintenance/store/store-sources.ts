import { randomBytes } from 'node:crypto';
import { entryConfig, entryConfigBytes } from '../../../channel/entry.ts';
import type { Engine } from '../../../engine/engine.ts';
import { saveImage } from '../../../engine/transfer/save-image.ts';
import { ownerText, readOwner } from '../../../fs/process-owner.ts';
import { withTempDir } from '../../../fs/temp-dir.ts';
import type { Host, Stop } from '../../../host.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Layer } from '../../../oci/layer/layer.ts';
import { findLayer, findWholeLayers } from '../../../oci/layout/copy.ts';
import { formatIndex, type ListedImage } from '../../../oci/layout/image-set.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { mediaTypes } from '../../../oci/spec.ts';
import { pullImage } from '../../../registry/image/pull-image.ts';
import type { Progress } from '../../../reporter/progress.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { findRelease } from '../../store/find-release.ts';
import type { BlobFault } from './examine-store.ts';
import { type Offer, offerBlobs } from './offered-blobs.ts';
import { findConfig, labelsOfBase, nameOfConfig, readSmallBlobs, type SmallBlobs } from './small-blobs.ts';

export interface RepairContext {
  store: Layout;
  host: Host;
  progress: Progress;
  stop: Stop;
  engine: Engine | undefined;
  /** Addresses of registries that may have the releases. */
  registries: string[];
}

/** Takes the blobs that a source offers; the bytes are readable until the returned promise settles. */
export type Take = (offered: Map<Digest, Offer>) => Promise<void>;

/** Source of the bytes of damaged blobs. */
export type RepairSource = (context: RepairContext, faults: readonly BlobFault[], take: Take) => Promise<void>;

/** Offers blobs of the store itself: config and layers determine a manifest, and images determine an index. */
export const takeFromStore: RepairSource = async ({ store }, _faults, take) => {
  await take(new Map([[entryConfig.digest, { size: entryConfig.size, chunks: () => [entryConfigBytes] }]]));
  const blobs = await readSmallBlobs(store);
  for (const { config, bytes: configBytes } of blobs.configs.values()) {
    const layers = config.rootfs.diff_ids.map((diffId) => findLayer(store, diffId));
    const isThere = layers.every((layer): layer is Layer => layer !== undefined);
    const baseLabels = labelsOfBase(config, blobs);
    const offered = offerBlobs({ config, configBytes, layers: isThere ? layers : [], baseLabels });
    for (const layer of layers) if (layer !== undefined) offered.delete(layer.diffId);
    await take(offered);
  }
  await take(offerIndexes(blobs));
};

/** Offers images of the engine: those under the names of damaged images, and any with a damaged layer. */
export const takeFromEngine: RepairSource = async ({ engine, store, host, progress, stop }, faults, take) => {
  if (engine === undefined) return;
  const blobs = await readSmallBlobs(store);
  for (const id of await chooseImages(engine, faults)) {
    stop.ask.throwIfAborted();
    await withTempDir(host, tempName(), async (tempDir) => {
      const saved = await progress.step(`reading ${id.slice(0, 19)} of ${engine.endpoint.url}`, () =>
        saveImage(engine, id, tempDir),
      );
      await take(offerBlobs({ ...saved, baseLabels: labelsOfBase(saved.config, blobs) }));
    });
  }
};

/** Offers releases of registries, under the names of the damaged ones. */
export const takeFromRegistries: RepairSource = async (context, faults, take) => {
  const { registries: addresses, store, host, progress } = context;
  const names = [...new Set(faults.flatMap((fault) => fault.names))].filter((name) => !name.startsWith('gbuild-base:'));
  if (addresses.length === 0 || names.length === 0) return;
  const blobs = await readSmallBlobs(store);
  await withRegistries(context, async (registries) => {
    for (const [registry, name] of addresses.flatMap((each) => names.map((name) => [each, name] as const))) {
      const colon = name.lastIndexOf(':');
      const [path, version] = [name.slice(0, colon), name.slice(colon + 1)];
      const found = await findRelease({ name: path, version, repository: registries.repository({ registry, path }) });
      for (const image of found?.images ?? [])
        await withTempDir(host, tempName(), async (tempDir) => {
          const known = await findWholeLayers(store, image.config.rootfs.diff_ids);
          const pulled = await progress.step(`reading ${name} of ${registry}`, () =>
            pullImage(image, { tempDir, find: (diffId) => known.get(diffId) }),
          );
          await take(offerBlobs({ ...pulled, baseLabels: labelsOfBase(image.config, blobs) }));
        });
    }
  });
};

/** Offers the indexes of images that belong to one release. */
function offerIndexes(blobs: SmallBlobs): Map<Digest, Offer> {
  const releases = new Map<string, ListedImage[]>();
  for (const { digest, size, json } of blobs.manifests) {
    const config = findConfig(json.config.digest, blobs);
    const name = config && nameOfConfig(config);
    if (config === undefined || name === undefined) continue;
    const descriptor = { mediaType: mediaTypes.manifest, digest, size };
    releases.set(name, [...(releases.get(name) ?? []), { descriptor, manifest: json, config }]);
  }
  const offered = new Map<Digest, Offer>();
  for (const images of releases.values()) {
    const { bytes, descriptor } = formatIndex(images);
    offered.set(descriptor.digest, { size: bytes.length, chunks: () => [bytes] });
  }
  return offered;
}

/** Chooses images by their ids on the engine. */
async function chooseImages(engine: Engine, faults: readonly BlobFault[]): Promise<Set<string>> {
  const chosen = new Set<string>();
  const layers = new Set<string>(faults.flatMap(({ kind, digest }) => (kind === 'layer' ? [digest] : [])));
  // An engine uses the digest of the config or of the manifest as the image's id.
  const ids = faults.filter(({ kind }) => kind === 'config' || kind === 'manifest').map(({ digest }) => digest);
  const names = faults.flatMap((fault) => fault.names).map((name) => name.replace(/^gbuild-base:/, 'sha256:'));
  for (const name of new Set<string>([...ids, ...names])) {
    const found = await engine.inspectImage(name);
    if (found !== undefined) chosen.add(found.id);
  }
  for (const { id } of layers.size === 0 ? [] : await engine.listImages()) {
    if (layers.size === 0) break;
    const diffIds = (await engine.inspectImage(id))?.diffIds ?? [];
    if (diffIds.some((diffId) => layers.has(diffId))) chosen.add(id);
    for (const diffId of diffIds) layers.delete(diffId);
  }
  return chosen;
}

function tempName(): string {
  return `${ownerText(readOwner())}.${randomBytes(6).toString('hex')}`;
}
