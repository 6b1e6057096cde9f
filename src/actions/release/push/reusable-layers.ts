import type { Image } from '../../../oci/image/image.ts';
import { parseReference } from '../../../oci/reference.ts';
import type { ImageConfig } from '../../../oci/spec.ts';
import { type RemoteImage, readRemote } from '../../../registry/image/pull-image.ts';
import type { KnownLayer } from '../../../registry/image/push-image.ts';
import type { Registries } from '../../../registry/registries.ts';
import { choosePlatform } from '../../store/choose-platform.ts';

/** Layers that pushes of this command have sent, by diffID: the next push mounts them, also into another repository. */
export type SentLayers = Map<string, { descriptor: KnownLayer['descriptor']; registry: string; path: string }>;

/** Returns the sent layers of an image in the form of a push. */
export function findSentLayers(
  registries: Registries,
  image: Image,
  sent: SentLayers | undefined,
): Map<string, KnownLayer> {
  return new Map(
    image.config.rootfs.diff_ids.flatMap((diffId) => {
      const layer = sent?.get(diffId);
      return layer === undefined
        ? []
        : [[diffId, { descriptor: layer.descriptor, from: registries.repository(layer) }]];
    }),
  );
}

const baseName = 'org.opencontainers.image.base.name';

/**
 * Finds the layers of a base that came from a registry, by diffID. They are mounted or copied from there, compressed as
 * they are. None where gbuild made the base, where its name means another image by now, or where the registry does not
 * answer: then its layers are sent like any others.
 */
export async function findBaseLayers(registries: Registries, image: Image): Promise<Map<string, KnownLayer>> {
  const base = await findBase(registries, image.config).catch(() => undefined);
  const diffIds = base?.config.rootfs.diff_ids ?? [];
  const isBelow = diffIds.every((diffId, index) => image.config.rootfs.diff_ids[index] === diffId);
  if (base === undefined || !isBelow) return new Map();
  const { repository: from, manifest } = base;
  return new Map(diffIds.map((diffId, index) => [diffId, { descriptor: manifest.layers[index]!, from }]));
}

async function findBase(registries: Registries, config: ImageConfig): Promise<RemoteImage | undefined> {
  const name = config.config.Labels?.[baseName];
  if (name === undefined || name.startsWith('gbuild/')) return undefined;
  const { registry, repository: path, tag, digest } = parseReference(name);
  if (registry === undefined) return undefined;
  const repository = registries.repository({ registry, path });
  const found = await choosePlatform(repository, digest ?? tag ?? 'latest', config);
  return found && readRemote(repository, found.chosen);
}
