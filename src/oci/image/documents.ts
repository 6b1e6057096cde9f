import { isDigest } from '../digest.ts';
import { parseJsonObject } from '../json.ts';
import type { ImageConfig, Index, Manifest } from '../spec.ts';
import { findConfigFault, findIndexFault, findManifestFault } from './find-fault.ts';

/** Makes the error of the bytes' owner. `fault` completes "it cannot be used:". */
export type Blame = (fault: string) => Error;

/** Document from an untrusted source, distinguished by its shape. */
export type OciDocument =
  | { kind: 'config'; config: ImageConfig }
  | { kind: 'manifest'; manifest: Manifest }
  | { kind: 'index'; index: Index };

/** Parses a manifest. Whether it describes an image is not checked here. */
export function parseManifestBytes(bytes: Buffer, blame: Blame): Manifest {
  return checkShape<Manifest>(bytes, 'it', findManifestFault, blame);
}

/** Parses an index. Entries with digests of other algorithms are left out. */
export function parseIndexBytes(bytes: Buffer, blame: Blame): Index {
  const index = parseWholeIndex(bytes, blame);
  return { ...index, manifests: index.manifests.filter(({ digest }) => isDigest(digest)) };
}

/** Parses an index that will be written again: its digests may use any algorithm. */
export function parseWholeIndex(bytes: Buffer, blame: Blame): Index {
  return checkShape<Index>(bytes, 'it', findIndexFault, blame);
}

/** Parses a config, for an image of so many layers where that is known. Its run config may be missing. */
export function parseConfigBytes(bytes: Buffer, blame: Blame, layerCount?: number): ImageConfig {
  const find = (json: object) => findConfigFault(json, layerCount);
  const config = checkShape<ImageConfig>(bytes, 'its config', find, blame);
  return { ...config, config: config.config ?? {} };
}

/** Parses a manifest, an index or a config, by its shape. */
export function parseDocument(bytes: Buffer, blame: Blame): OciDocument {
  const { rootfs, config } = (parseJsonObject(bytes) ?? {}) as { rootfs?: unknown; config?: unknown };
  if (rootfs !== undefined) return { kind: 'config', config: parseConfigBytes(bytes, blame) };
  if (config !== undefined) return { kind: 'manifest', manifest: parseManifestBytes(bytes, blame) };
  return { kind: 'index', index: parseIndexBytes(bytes, blame) };
}

/** Turns JSON into a document, after checking the shape that the type promises. No other code does so. */
function checkShape<T>(bytes: Buffer, what: string, findFault: (json: object) => string | undefined, blame: Blame): T {
  const json = parseJsonObject(bytes);
  const fault = json === undefined ? `${what} is not a JSON object` : findFault(json);
  if (fault !== undefined) throw blame(fault);
  return json as T;
}
