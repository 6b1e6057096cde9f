import type { Layout } from '../../oci/layout/layout.ts';
import type { Repository } from '../../registry/repository.ts';
import { layersOfRemote, layersOfStore, type OpenLayer } from './open-layers.ts';
import { type RemoteSet, readRemoteSet } from './remote-set.ts';
import { findStored, type StoredSet } from './store.ts';

/** A release of this machine's store. */
export interface FoundHere extends StoredSet {
  where: 'store';
  store: Layout;
}

/** A release of a registry. */
export interface FoundThere extends RemoteSet {
  where: 'registry';
}

/**
 * A release, or any image that a name or a digest refers to: one image, or an index of several. Configs and manifests are read;
 * the layers stay where they are.
 */
export type FoundRelease = FoundHere | FoundThere;

/** Name of a release, and where it is looked for: first in the store, then in the repository of a registry. */
export interface Wanted {
  /** `acme/hello`. */
  name: string;
  /** A version, another tag, or (in a registry) a digest. */
  version: string;
  store?: Layout | undefined;
  repository?: Repository | undefined;
}

export function findRelease(wanted: Wanted & { repository?: undefined }): Promise<FoundHere | undefined>;
export function findRelease(wanted: Wanted & { store?: undefined }): Promise<FoundThere | undefined>;
export function findRelease(wanted: Wanted): Promise<FoundRelease | undefined>;
/** Finds a release; undefined where no place has it. Every command opens releases by this. */
export async function findRelease({ name, version, store, repository }: Wanted): Promise<FoundRelease | undefined> {
  const stored = store && (await findStored(store, `${name}:${version}`));
  if (store !== undefined && stored !== undefined) return { where: 'store', store, ...stored };
  const remote = repository && (await readRemoteSet(repository, version));
  return remote && { where: 'registry', ...remote };
}

/** An image of a release, and what opens its layers wherever they are. */
export interface ReleaseImage extends Pick<FoundRelease['images'][number], 'manifest' | 'config'> {
  open: OpenLayer;
}

/** Lists the images of a release alike, wherever it is. */
export function listReleaseImages(found: FoundRelease): ReleaseImage[] {
  if (found.where === 'registry') {
    return found.images.map((image) => ({
      manifest: image.manifest,
      config: image.config,
      open: layersOfRemote(image),
    }));
  }
  const open = layersOfStore(found.store);
  return found.images.map(({ manifest, config }) => ({ manifest, config, open }));
}
