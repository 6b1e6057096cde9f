import type { Digest } from '../../../oci/digest.ts';
import type { ReadEntry } from '../../../oci/tar/untar.ts';
import { parsePackages } from '../../../toolchain/image/contents.ts';
import type { OpenLayer } from '../../store/open-layers.ts';

/** Path of dpkg's package record, as a layer's tar writes it: without the first slash. */
const statusPath = /^(\.?\/)?var\/lib\/dpkg\/status$/;

/**
 * Lists the names of a base's Debian packages, from the highest layer that holds dpkg's record. `diffIds` starts with
 * the lowest layer. Undefined where a layer cannot be read.
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

/** Reads each layer to its end: a registry's bytes are checked against their digest only there. */
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
