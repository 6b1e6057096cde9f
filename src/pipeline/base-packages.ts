import type { Digest } from '../oci/digest.ts';
import type { Layout } from '../oci/layout.ts';
import { readTarFile } from '../oci/untar.ts';
import { parsePackages } from '../toolchain/contents.ts';

/** Where dpkg keeps its own record; in a layer's tar, without the first slash. */
const statusPath = /^(\.?\/)?var\/lib\/dpkg\/status$/;

/**
 * Debian packages by name of layers of the store, as the uppermost that has dpkg's record tells; undefined where one of the
 * layers is not in the store. Of a layer only headers are read, and that one file.
 */
export async function readBasePackages(
  store: Layout,
  diffIds: readonly Digest[],
): Promise<Record<string, string> | undefined> {
  if (diffIds.some((diffId) => !store.hasBlob(diffId))) return undefined;
  for (const diffId of diffIds.toReversed()) {
    const status = await readStatus(store.blobFile(diffId), diffId);
    if (status !== undefined) return parsePackages(status);
  }
  return {};
}

async function readStatus(hostFile: string, diffId: Digest): Promise<string | undefined> {
  for await (const { header, content } of readTarFile(hostFile, `the layer ${diffId}`)) {
    if (header.type !== 'file' || !statusPath.test(header.path)) continue;
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    return Buffer.concat(parts).toString();
  }
  return undefined;
}
