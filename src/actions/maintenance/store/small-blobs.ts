import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, isDigest } from '../../../oci/digest.ts';
import { type OciDocument, parseDocument } from '../../../oci/image/documents.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import type { ImageConfig, Index, Manifest } from '../../../oci/spec.ts';

/** Blobs of a store that are not layers, each checked against its digest. */
export interface SmallBlobs {
  configs: Map<Digest, { config: ImageConfig; bytes: Buffer }>;
  manifests: { digest: Digest; size: number; json: Manifest }[];
  indexes: { digest: Digest; size: number; json: Index }[];
}

const largestSmall = 1 << 20;

export async function readSmallBlobs(store: Layout): Promise<SmallBlobs> {
  const found: SmallBlobs = { configs: new Map(), manifests: [], indexes: [] };
  const dir = join(store.dir, 'blobs', 'sha256');
  for (const name of readdirSync(dir).sort()) {
    const digest = `sha256:${name}`;
    const stat = statSync(join(dir, name), { throwIfNoEntry: false });
    if (!isDigest(digest) || stat?.isFile() !== true || stat.size > largestSmall) continue;
    const bytes = await store.readBlob(digest).catch(() => undefined);
    const document = bytes && tryDocument(bytes);
    if (bytes === undefined || document === undefined) continue;
    const { length: size } = bytes;
    if (document.kind === 'config') found.configs.set(digest, { config: document.config, bytes });
    else if (document.kind === 'manifest') found.manifests.push({ digest, size, json: document.manifest });
    else if (document.index.manifests.length > 0) found.indexes.push({ digest, size, json: document.index });
  }
  return found;
}

function tryDocument(bytes: Buffer): OciDocument | undefined {
  try {
    return parseDocument(bytes, (fault) => new Error(fault));
  } catch {
    return undefined;
  }
}

/** Returns the labels that a config inherited from its base; none where the store lacks the base. */
export function labelsOfBase(config: ImageConfig, blobs: SmallBlobs): Record<string, string> {
  const digest = config.config.Labels?.['org.opencontainers.image.base.digest'];
  const id = blobs.manifests.find((manifest) => manifest.digest === digest)?.json.config.digest;
  const base = id === undefined ? undefined : findConfig(id, blobs);
  return base?.config.Labels ?? {};
}

export function findConfig(id: Digest, { configs }: SmallBlobs): ImageConfig | undefined {
  return configs.get(id)?.config;
}

/** Returns `name:version` from the labels of a release. */
export function nameOfConfig({ config }: ImageConfig): string | undefined {
  const title = config.Labels?.['org.opencontainers.image.title'];
  const version = config.Labels?.['org.opencontainers.image.version'];
  return title === undefined || version === undefined ? undefined : `${title}:${version}`;
}
