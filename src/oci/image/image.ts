import { type Digest, digestOf } from '../digest.ts';
import { formatCanonical } from '../json.ts';
import type { Layer } from '../layer/layer.ts';
import {
  type HistoryEntry,
  type ImageConfig,
  type Manifest,
  mediaTypes,
  type Platform,
  type RunConfig,
} from '../spec.ts';
import { mergeRunConfig } from './run-config.ts';

/** Layer of the base that is known by its diffID only. */
export interface BaseLayer {
  diffId: Digest;
  /** Size in bytes, uncompressed, where known. */
  size?: number;
}

/** Base of an image: its config, and the known facts of its layers (in the order of `rootfs.diff_ids`). */
export interface BaseImage {
  config: ImageConfig;
  layers?: readonly BaseLayer[];
}

/** Image as a value: it holds all bytes with a digest except the layers' own, which are made on request. */
export interface Image {
  config: ImageConfig;
  configBytes: Buffer;
  /** Digest of the config: the image id in a classic image store. */
  id: Digest;
  manifest: Manifest;
  manifestBytes: Buffer;
  /** Digest of the manifest: the image id in a containerd image store. */
  manifestDigest: Digest;
  /** Layers on top of the base, lowest first. */
  layers: Layer[];
  /** Layers of the base, lowest first. */
  baseDiffIds: Digest[];
}

export interface ExtendOptions {
  /** Time of the commit in RFC 3339, not the present time. */
  created: string;
  config?: Partial<RunConfig>;
  labels?: Record<string, string>;
  /** Annotations of the manifest. */
  annotations?: Record<string, string>;
  /** Comment in the history of each new layer. */
  comment?: string;
}

/** Returns the empty image: no layer, an empty config. */
export function scratchImage(platform: Platform): BaseImage {
  return { config: { ...pickPlatform(platform), config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] } };
}

/**
 * Puts layers on top of the base. Equal arguments give equal bytes. Env is merged by name in the base's order, labels
 * and ports by key. A new entrypoint drops the base's command, as in a Dockerfile. Fields of the base that describe its
 * build on an engine (`Hostname`, `container_config`, ...) are left out.
 */
export function extendImage(base: BaseImage, layers: readonly Layer[], options: ExtendOptions): Image {
  const baseDiffIds = [...base.config.rootfs.diff_ids];
  const config: ImageConfig = {
    created: options.created,
    ...pickPlatform(base.config),
    config: mergeRunConfig(base.config.config, {
      ...options.config,
      Labels: { ...options.config?.Labels, ...options.labels },
    }),
    rootfs: { type: 'layers', diff_ids: [...baseDiffIds, ...layers.map((layer) => layer.diffId)] },
    history: [...historyOf(base.config), ...layers.map((layer) => describeLayer(layer, options))],
  };
  const configBytes = formatCanonical(config);
  const id = digestOf(configBytes);
  const baseLayers = base.layers ?? baseDiffIds.map((diffId): BaseLayer => ({ diffId }));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: id, size: configBytes.length },
    layers: [...baseLayers, ...layers].map(({ diffId, size }) => ({
      mediaType: mediaTypes.layer,
      digest: diffId,
      size: size ?? 0,
    })),
    ...(Object.keys(options.annotations ?? {}).length > 0 ? { annotations: options.annotations! } : {}),
  };
  const manifestBytes = formatCanonical(manifest);
  const manifestDigest = digestOf(manifestBytes);
  return { config, configBytes, id, manifest, manifestBytes, manifestDigest, layers: [...layers], baseDiffIds };
}

function pickPlatform({ architecture, os, variant }: Platform): Platform {
  return { architecture, os, ...(variant === undefined || variant === '' ? {} : { variant }) };
}

/**
 * Returns one history entry for each layer, because tools pair them. A base with a different number of entries gets a
 * plain history.
 */
function historyOf(base: ImageConfig): HistoryEntry[] {
  const history = base.history ?? [];
  const layers = base.rootfs.diff_ids.length;
  if (history.filter((entry) => entry.empty_layer !== true).length === layers) return history;
  return base.rootfs.diff_ids.map((diffId) => ({ created_by: 'base', comment: diffId }));
}

function describeLayer(layer: Layer, { created, comment }: ExtendOptions): HistoryEntry {
  return { created, created_by: layer.createdBy, ...(comment === undefined ? {} : { comment }) };
}
