import type { Digest } from './digest.ts';

/** Media types of the OCI image specification 1.1 that gbuild writes or reads. */
export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

/** Annotation keys with a meaning for tools that read a layout. */
export const annotationKeys = {
  refName: 'org.opencontainers.image.ref.name',
  containerdName: 'io.containerd.image.name',
} as const;

/** Operating system and architecture in Go's words: `linux`, `amd64`. */
export interface Platform {
  architecture: string;
  os: string;
  variant?: string;
}

/** Descriptor (OCI descriptor.md): media type, digest and size in bytes of a blob. */
export interface Descriptor {
  mediaType: string;
  digest: Digest;
  size: number;
  annotations?: Record<string, string>;
  platform?: Platform;
  /** Type of the artifact that the manifest describes. */
  artifactType?: string;
}

/** Manifest (OCI manifest.md). */
export interface Manifest {
  schemaVersion: 2;
  mediaType: string;
  artifactType?: string;
  /** Manifest that this one describes. */
  subject?: Descriptor;
  config: Descriptor;
  layers: Descriptor[];
  annotations?: Record<string, string>;
}

/** Index (OCI image-index.md); also a layout's index.json. */
export interface Index {
  schemaVersion: 2;
  mediaType?: string;
  manifests: Descriptor[];
  annotations?: Record<string, string>;
}

/** Health check, Docker's extension of the config; durations in nanoseconds. */
export interface Healthcheck {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  Retries?: number;
}

/** Object `config` of an image config: settings of a container. */
export interface RunConfig {
  User?: string;
  ExposedPorts?: Record<string, Record<string, never>>;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  Volumes?: Record<string, Record<string, never>>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  Healthcheck?: Healthcheck;
  Shell?: string[];
}

/** History entry, one line of `docker history`; `empty_layer` marks one without a diffID. */
export interface HistoryEntry {
  created?: string;
  created_by?: string;
  author?: string;
  comment?: string;
  empty_layer?: boolean;
}

/** Config (OCI config.md). The digest of its bytes is the image id of the classic store. */
export interface ImageConfig extends Platform {
  /** Time in RFC 3339. */
  created?: string;
  author?: string;
  config: RunConfig;
  rootfs: { type: 'layers'; diff_ids: Digest[] };
  history?: HistoryEntry[];
}
