import type { Digest } from '../../oci/digest.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import { type ReadEntry, readTar, readTarFile } from '../../oci/tar/untar.ts';
import { type RemoteImage, readLayer } from '../../registry/image/pull-image.ts';

/** Opens a layer's tar; undefined where it cannot be read. */
export type OpenLayer = (diffId: Digest) => AsyncIterable<ReadEntry> | undefined;

/** Opens layers of the store. Checks the bytes, then parses headers and the requested files. */
export function layersOfStore(store: Layout): OpenLayer {
  return (diffId) => (store.hasBlob(diffId) ? readStored(store, diffId) : undefined);
}

async function* readStored(store: Layout, diffId: Digest): AsyncGenerator<ReadEntry> {
  if (!(await store.isWhole(diffId)))
    throw store.damage(`the blob ${diffId} in ${JSON.stringify(store.dir)} is damaged`, diffId);
  yield* readTarFile(store.blobFile(diffId), `the layer ${diffId}`);
}

/** Opens layers of a registry; a layer is downloaded whole. */
export function layersOfRemote({ repository, manifest, config }: RemoteImage): OpenLayer {
  return (diffId) => {
    const layer = manifest.layers[config.rootfs.diff_ids.indexOf(diffId)];
    return layer && readTar(readLayer(repository, layer), `the layer ${layer.digest} of ${repository.name}`);
  };
}
