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

/** A layer of the base that is known by name only. */
export interface BaseLayer {
  diffId: Digest;
  /** Bytes uncompressed, where known. */
  size?: number;
}

/** Base of an image: its config, and what is known of its layers (in the order of `rootfs.diff_ids`). */
export interface BaseImage {
  config: ImageConfig;
  layers?: readonly BaseLayer[];
}

/** An image as a value: every byte that has a digest is there, but the layers' own, which are made when asked for. */
export interface Image {
  config: ImageConfig;
  configBytes: Buffer;
  /** Digest of the config: the image id of a classic image store. */
  id: Digest;
  manifest: Manifest;
  manifestBytes: Buffer;
  /** The image id of a containerd image store. */
  manifestDigest: Digest;
  /** The layers on top of the base, lowest first. */
  layers: Layer[];
  /** The base's layers, lowest first. */
  baseDiffIds: Digest[];
}

export interface ExtendOptions {
  /** RFC 3339: the commit's time, not now. */
  created: string;
  config?: Partial<RunConfig>;
  labels?: Record<string, string>;
  /** Annotations of the manifest. */
  annotations?: Record<string, string>;
  /** Said in the history of each new layer. */
  comment?: string;
}

/** The image of nothing: no layer, an empty config. */
export function scratchImage(platform: Platform): BaseImage {
  return { config: { ...pickPlatform(platform), config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] } };
}

/**
 * The base with layers on top. Equal arguments give equal bytes. Env is merged by name in the base's order, labels and ports
 * by key; a new entrypoint drops the base's command, as in a Dockerfile. Fields of the base that say how an engine came to
 * it (`Hostname`, `container_config`, ...) are left out.
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

/** One entry a layer, or tools that pair the two lose count: a base whose history does not add up gets a plain one. */
function historyOf(base: ImageConfig): HistoryEntry[] {
  const history = base.history ?? [];
  const layers = base.rootfs.diff_ids.length;
  if (history.filter((entry) => entry.empty_layer !== true).length === layers) return history;
  return base.rootfs.diff_ids.map((diffId) => ({ created_by: 'base', comment: diffId }));
}

function describeLayer(layer: Layer, { created, comment }: ExtendOptions): HistoryEntry {
  return { created, created_by: layer.createdBy, ...(comment === undefined ? {} : { comment }) };
}
