import { type Digest, digestOf, hexOf } from '../oci/digest.ts';
import { formatCanonical } from '../oci/json.ts';
import { type Descriptor, mediaTypes } from '../oci/spec.ts';

/** Media type of the config of an artifact without one (OCI manifest.md, "Guidance for an Empty Descriptor"). */
export const emptyMediaType: string = mediaTypes.empty;

export interface ArtifactBlob {
  mediaType: string;
  digest: Digest;
  bytes: Buffer;
}

/** OCI artifact for an image, ready to be pushed: the blobs first, then the manifest. */
export interface Artifact {
  artifactType: string;
  manifestBytes: Buffer;
  /** Digest of the manifest. */
  digest: Digest;
  /** Blobs of the config and the layers, each once. */
  blobs: ArtifactBlob[];
  /** Tag for its manifest, for tools that do not ask for referrers. */
  tag?: string;
}

export interface ArtifactParts {
  artifactType: string;
  layers: { mediaType: string; bytes: Buffer; annotations?: Record<string, string> }[];
  annotations?: Record<string, string>;
  /** Config of the artifact; empty when left out. */
  config?: { mediaType: string; bytes: Buffer };
  tag?: string;
}

/**
 * Formats the manifest (OCI image-spec 1.1) of an artifact about the subject, the descriptor of an image's manifest.
 */
export function formatArtifact(subject: Descriptor, { artifactType, layers, tag, ...parts }: ArtifactParts): Artifact {
  const { config = { mediaType: emptyMediaType, bytes: Buffer.from('{}') }, annotations } = parts;
  const manifestBytes = formatCanonical({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: describe(config),
    layers: layers.map(describe),
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations,
  });
  const blobs = [config, ...layers].map(({ mediaType, bytes }) => ({ mediaType, digest: digestOf(bytes), bytes }));
  return {
    artifactType,
    manifestBytes,
    digest: digestOf(manifestBytes),
    blobs: [...new Map(blobs.map((blob) => [blob.digest, blob])).values()],
    ...(tag !== undefined && { tag }),
  };
}

/** Formats cosign's tag for an attachment of an image without referrers: `sha256-HEX.sig`. */
export function formatCosignTag(digest: Digest, suffix: 'sig' | 'att'): string {
  return `sha256-${hexOf(digest)}.${suffix}`;
}

function describe({ mediaType, bytes, annotations }: ArtifactParts['layers'][number]): Descriptor {
  const digest = digestOf(bytes);
  return { mediaType, digest, size: bytes.length, ...(annotations !== undefined && { annotations }) };
}
