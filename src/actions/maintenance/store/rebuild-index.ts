import { type ChannelEntry, entryArtifactType, parseEntry } from '../../../channel/entry.ts';
import { formatEntryTag } from '../../../channel/entry-tag.ts';
import { hexOf, isDigest } from '../../../oci/digest.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { annotationKeys, type Descriptor, mediaTypes } from '../../../oci/spec.ts';
import { isVersion } from '../../store/stored-releases.ts';
import { findConfig, nameOfConfig, readSmallBlobs, type SmallBlobs } from './small-blobs.ts';

export interface RebuiltIndex {
  named: Descriptor[];
  /** Names that several images claim: no image gets them. */
  unclear: string[];
}

/**
 * Recovers the names of a store's lost index from the images' own labels: releases, their indexes, their bases and the
 * entries of their channels.
 * Movable tags and provenance facts are lost, because only the index held them.
 */
export async function findNames(store: Layout): Promise<RebuiltIndex> {
  const blobs = await readSmallBlobs(store);
  const { manifests, indexes } = blobs;
  const configOf = new Map(manifests.map(({ digest, json }) => [digest, findConfig(json.config.digest, blobs)]));
  const found = new Map<string, Descriptor[]>();
  const add = (name: string, descriptor: Descriptor) =>
    found.set(name, [...(found.get(name) ?? []), { ...descriptor, annotations: { [annotationKeys.refName]: name } }]);
  const listed = new Set(indexes.flatMap(({ json }) => json.manifests.map(({ digest }) => digest)));
  for (const { digest, size, json } of indexes) {
    const config = configOf.get(json.manifests[0]!.digest);
    const name = config && nameOfConfig(config);
    if (name !== undefined) add(name, { mediaType: mediaTypes.index, digest, size });
  }
  for (const { digest, size } of manifests) {
    const config = configOf.get(digest);
    const name = config && nameOfConfig(config);
    const isRelease = name !== undefined && isVersion(name.slice(name.lastIndexOf(':') + 1));
    if (isRelease && !listed.has(digest)) add(name, { mediaType: mediaTypes.manifest, digest, size });
  }
  const bases = new Set([...configOf.values()].map((config) => baseOf(config?.config.Labels)));
  for (const { digest, size, json } of manifests)
    if (bases.has(digest) && isDigest(json.config.digest))
      add(`gbuild-base:${hexOf(json.config.digest)}`, { mediaType: mediaTypes.manifest, digest, size });
  for (const [name, descriptors] of await findEntries(store, blobs)) found.set(name, descriptors);
  const clear = [...found].filter(([, descriptors]) => descriptors.length === 1);
  const unclear = [...found.keys()].filter((name) => (found.get(name)?.length ?? 0) > 1);
  return { named: clear.map(([, [descriptor]]) => descriptor!), unclear };
}

/** Finds the entries of channels. Of two that claim one number, the one that a later entry links to is right. */
async function findEntries(store: Layout, { manifests }: SmallBlobs): Promise<Map<string, Descriptor[]>> {
  const known: { name: string; entry: ChannelEntry; descriptor: Descriptor }[] = [];
  for (const { digest, size, json } of manifests) {
    if (json.artifactType !== entryArtifactType) continue;
    const { entry } = parseEntry(await store.readBlob(digest), (fault) => store.damage(fault, digest));
    const name = `${entry.name}:${formatEntryTag(entry)}`;
    const annotations = { [annotationKeys.refName]: name };
    const artifact = { mediaType: mediaTypes.manifest, artifactType: entryArtifactType };
    known.push({ name, entry, descriptor: { ...artifact, digest, size, annotations } });
  }
  const linked = new Set(known.map(({ entry }) => entry.previous));
  const byName = Map.groupBy(known, ({ name }) => name);
  return new Map(
    [...byName].map(([name, all]) => {
      const right = all.filter(({ descriptor }) => all.length === 1 || linked.has(descriptor.digest));
      return [name, (right.length === 1 ? right : all).map(({ descriptor }) => descriptor)];
    }),
  );
}

function baseOf(labels: Record<string, string> = {}): string | undefined {
  return labels['org.opencontainers.image.base.digest'];
}
