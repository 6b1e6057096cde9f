import type { Digest } from '../../../oci/digest.ts';
import type { ReadEntry } from '../../../oci/tar/untar.ts';
import { parsePackages } from '../../../toolchain/image/contents.ts';
import type { OpenLayer } from '../../store/open-layers.ts';

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
