import { type Digest, digestOf, hexOf } from '../oci/digest.ts';
import { formatCanonical } from '../oci/json.ts';
import { type Descriptor, mediaTypes } from '../oci/spec.ts';

/** The config of an artifact that has none (OCI manifest.md, "Guidance for an Empty Descriptor"). */
export const emptyMediaType: string = mediaTypes.empty;

export interface ArtifactBlob {
  mediaType: string;
  digest: Digest;
  bytes: Buffer;
}

/** An OCI artifact to attach to an image, ready to be pushed: the blobs first, then the manifest. */
export interface Artifact {
  artifactType: string;
  manifestBytes: Buffer;
  /** Digest of the manifest. */
  digest: Digest;
  /** The config's and the layers', each once. */
  blobs: ArtifactBlob[];
  /** Its manifest bears this tag too, for tools that do not ask for referrers. */
  tag?: string;
}

export interface ArtifactParts {
  artifactType: string;
  layers: { mediaType: string; bytes: Buffer; annotations?: Record<string, string> }[];
  annotations?: Record<string, string>;
  /** Empty where it is not given. */
  config?: { mediaType: string; bytes: Buffer };
  tag?: string;
}

/** The manifest (OCI image-spec 1.1) of an artifact about the subject, the descriptor of an image's manifest. */
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

/** Formats cosign's tag for what it attaches to an image without referrers: `sha256-HEX.sig`. */
export function formatCosignTag(digest: Digest, suffix: 'sig' | 'att'): string {
  return `sha256-${hexOf(digest)}.${suffix}`;
}

function describe({ mediaType, bytes, annotations }: ArtifactParts['layers'][number]): Descriptor {
  const digest = digestOf(bytes);
  return { mediaType, digest, size: bytes.length, ...(annotations !== undefined && { annotations }) };
}
