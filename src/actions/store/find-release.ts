import type { Layout } from '../../oci/layout/layout.ts';
import type { Repository } from '../../registry/repository.ts';
import { layersOfRemote, layersOfStore, type OpenLayer } from './open-layers.ts';
import { type RemoteSet, readRemoteSet } from './remote-set.ts';
import { findStored, type StoredSet } from './store.ts';

/** Release in this machine's store. */
export interface FoundHere extends StoredSet {
  where: 'store';
  store: Layout;
}

/** Release in a registry. */
export interface FoundThere extends RemoteSet {
  where: 'registry';
}

/**
 * Release, or any image that a name or a digest refers to: one image, or an index of several. Configs and manifests are
 * read; layers are not.
 */
export type FoundRelease = FoundHere | FoundThere;

/** Name of a release, and the places to search: first the store, then the repository of a registry. */
export interface Wanted {
  /** Name such as `acme/hello`. */
  name: string;
  /** Version, another tag, or (in a registry) a digest. */
  version: string;
  store?: Layout | undefined;
  repository?: Repository | undefined;
}

export function findRelease(wanted: Wanted & { repository?: undefined }): Promise<FoundHere | undefined>;
export function findRelease(wanted: Wanted & { store?: undefined }): Promise<FoundThere | undefined>;
export function findRelease(wanted: Wanted): Promise<FoundRelease | undefined>;
/** Finds a release; undefined where no place has it. Every command opens releases with this function. */
export async function findRelease({ name, version, store, repository }: Wanted): Promise<FoundRelease | undefined> {
  const stored = store && (await findStored(store, `${name}:${version}`));
  if (store !== undefined && stored !== undefined) return { where: 'store', store, ...stored };
  const remote = repository && (await readRemoteSet(repository, version));
  return remote && { where: 'registry', ...remote };
}

/** Image of a release, and the function that opens its layers in any place. */
export interface ReleaseImage extends Pick<FoundRelease['images'][number], 'manifest' | 'config'> {
  open: OpenLayer;
}

/** Lists the images of a release in the same form for every place. */
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
