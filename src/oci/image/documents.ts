import { isDigest } from '../digest.ts';
import { parseJsonObject } from '../json.ts';
import type { ImageConfig, Index, Manifest } from '../spec.ts';
import { findConfigFault, findIndexFault, findManifestFault } from './find-fault.ts';

/** Makes the error of whoever has the bytes. `fault` completes "it cannot be used:". */
export type Blame = (fault: string) => Error;

/** A document that somebody wrote, told apart by its shape. */
export type OciDocument =
  | { kind: 'config'; config: ImageConfig }
  | { kind: 'manifest'; manifest: Manifest }
  | { kind: 'index'; index: Index };

/** Parses a manifest. Whether it is one of an image is another question. */
export function parseManifestBytes(bytes: Buffer, blame: Blame): Manifest {
  return checkShape<Manifest>(bytes, 'it', findManifestFault, blame);
}

/** Parses an index. What it lists by digests of other algorithms than gbuild's is left out. */
export function parseIndexBytes(bytes: Buffer, blame: Blame): Index {
  const index = parseWholeIndex(bytes, blame);
  return { ...index, manifests: index.manifests.filter(({ digest }) => isDigest(digest)) };
}

/** Parses an index to be written again: its digests may be of any algorithm. */
export function parseWholeIndex(bytes: Buffer, blame: Blame): Index {
  return checkShape<Index>(bytes, 'it', findIndexFault, blame);
}

/** Parses a config, of an image of so many layers where that is known. What a container runs may be left out of it. */
export function parseConfigBytes(bytes: Buffer, blame: Blame, layerCount?: number): ImageConfig {
  const find = (json: object) => findConfigFault(json, layerCount);
  const config = checkShape<ImageConfig>(bytes, 'its config', find, blame);
  return { ...config, config: config.config ?? {} };
}

/** Parses whichever of the three the bytes are. */
export function parseDocument(bytes: Buffer, blame: Blame): OciDocument {
  const { rootfs, config } = (parseJsonObject(bytes) ?? {}) as { rootfs?: unknown; config?: unknown };
  if (rootfs !== undefined) return { kind: 'config', config: parseConfigBytes(bytes, blame) };
  if (config !== undefined) return { kind: 'manifest', manifest: parseManifestBytes(bytes, blame) };
  return { kind: 'index', index: parseIndexBytes(bytes, blame) };
}

/** The one place where JSON becomes a document: the shape that the type promises is checked before. */
function checkShape<T>(bytes: Buffer, what: string, findFault: (json: object) => string | undefined, blame: Blame): T {
  const json = parseJsonObject(bytes);
  const fault = json === undefined ? `${what} is not a JSON object` : findFault(json);
  if (fault !== undefined) throw blame(fault);
  return json as T;
}
