import type { Digest } from '../digest.ts';
import {
  type Blame,
  parseConfigBytes,
  parseDocument,
  parseIndexBytes,
  parseManifestBytes,
} from '../image/documents.ts';
import type { Descriptor, ImageConfig, Index, Manifest } from '../spec.ts';
import type { Layout } from './layout.ts';

/** Image of a layout without its layers. */
export interface ImageDocuments {
  manifest: Manifest;
  manifestBytes: Buffer;
  config: ImageConfig;
  configBytes: Buffer;
}

/** Blobs that a manifest or index names. */
export interface NamedBlobs {
  manifests: Descriptor[];
  /** Undefined where it is no manifest. */
  config?: Descriptor;
  layers: Descriptor[];
}

/**
 * Reads manifest and config. Like all functions here it throws `store-failed` for a missing or damaged one, and the
 * error of `blame` for one with another shape.
 */
export async function readImageDocuments(
  layout: Layout,
  manifestDigest: Digest,
  blame = (digest: Digest) => blameBlob(layout, digest),
): Promise<ImageDocuments> {
  const manifestBytes = await layout.readBlob(manifestDigest);
  const manifest = parseManifestBytes(manifestBytes, blame(manifestDigest));
  const { digest } = manifest.config;
  const configBytes = await layout.readBlob(digest);
  const config = parseConfigBytes(configBytes, blame(digest), manifest.layers.length);
  return { manifest, manifestBytes, config, configBytes };
}

export async function readIndexBlob(layout: Layout, digest: Digest): Promise<{ index: Index; bytes: Buffer }> {
  const bytes = await layout.readBlob(digest);
  return { index: parseIndexBytes(bytes, blameBlob(layout, digest)), bytes };
}

/** Reads the blobs that a manifest or index names. */
export async function readNamedBlobs(layout: Layout, digest: Digest): Promise<NamedBlobs> {
  const document = parseDocument(await layout.readBlob(digest), blameBlob(layout, digest));
  if (document.kind === 'index') return { manifests: document.index.manifests, layers: [] };
  if (document.kind === 'config') return { manifests: [], layers: [] };
  const { config, layers } = document.manifest;
  return { manifests: [], config, layers };
}

function blameBlob(layout: Layout, digest: Digest): Blame {
  return (fault) =>
    layout.damage(`the blob ${digest} in ${JSON.stringify(layout.dir)} cannot be used: ${fault}`, digest);
}
