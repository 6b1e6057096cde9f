import type { Digest } from '../../../oci/digest.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { type ReadEntry, readTar, readTarFile } from '../../../oci/tar/untar.ts';
import { type RemoteImage, readLayer } from '../../../registry/image/pull-image.ts';
import { parsePackages } from '../../../toolchain/image/contents.ts';

/** Opens a layer's tar; undefined where it is not at hand. */
export type OpenLayer = (diffId: Digest) => AsyncIterable<ReadEntry> | undefined;

/** Opens layers of the store. Parses headers and the files that are asked for, after the bytes are checked. */
export function layersOfStore(store: Layout): OpenLayer {
  return (diffId) => (store.hasBlob(diffId) ? readStored(store, diffId) : undefined);
}

async function* readStored(store: Layout, diffId: Digest): AsyncGenerator<ReadEntry> {
  if (!(await store.isWhole(diffId)))
    throw store.damage(`the blob ${diffId} in ${JSON.stringify(store.dir)} is damaged`, diffId);
  yield* readTarFile(store.blobFile(diffId), `the layer ${diffId}`);
}

/** A layer in a registry is received whole. */
export function layersOfRemote({ repository, manifest, config }: RemoteImage): OpenLayer {
  return (diffId) => {
    const layer = manifest.layers[config.rootfs.diff_ids.indexOf(diffId)];
    return layer && readTar(readLayer(repository, layer), `the layer ${layer.digest} of ${repository.name}`);
  };
}

/** Where dpkg keeps its own record; in a layer's tar, without the first slash. */
const statusPath = /^(\.?\/)?var\/lib\/dpkg\/status$/;

/**
 * Debian packages by name of a base's layers, lowest first, as the uppermost that has dpkg's record tells; undefined where a
 * layer is not at hand.
 */
export async function readBasePackages(
  diffIds: readonly Digest[],
  open: OpenLayer,
): Promise<Record<string, string> | undefined> {
  for (const diffId of diffIds.toReversed()) {
    const entries = open(diffId);
    if (entries === undefined) return undefined;
    const status = await readStatus(entries);
    if (status !== undefined) return parsePackages(status);
  }
  return {};
}

/** Reads to the end: only then are the bytes of a registry known to be what their digest says. */
async function readStatus(entries: AsyncIterable<ReadEntry>): Promise<string | undefined> {
  let status: string | undefined;
  for await (const { header, content } of entries) {
    if (header.type !== 'file' || !statusPath.test(header.path)) continue;
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    status = Buffer.concat(parts).toString();
  }
  return status;
}
