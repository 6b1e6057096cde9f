import type { Package } from '../attest/packages/package.ts';
import type { Digest } from '../oci/digest.ts';
import type { Image } from '../oci/image/image.ts';
import type { Layer } from '../oci/layer/layer.ts';
import type { Descriptor, HistoryEntry, ImageConfig, Manifest } from '../oci/spec.ts';
import { formatDigest } from '../reporter/format.ts';
import type { Attached } from './attached.ts';
import { type FileFacts, listFiles } from './layer-files.ts';
import { type ConfigReport, readLabels, reportConfig } from './report-config.ts';

/** Origin of an image: a folder, a file, a registry or an engine. */
export interface ImageOrigin {
  kind: 'store' | 'layout' | 'archive' | 'registry' | 'engine';
  place: string;
}

/** Layer, lowest first; sizes in bytes. */
export interface LayerReport {
  name: string;
  diffId: Digest;
  /** Size, uncompressed. */
  size: number;
  /** Descriptor in the registry. */
  packed?: { digest: Digest; size: number; mediaType: string };
  /** Whether it is on top of the base, where gbuild made the image. */
  isOwn: boolean;
  fileCount: number;
  files?: FileFacts[];
}

/** Report of `gbuild inspect` about an image. */
export interface ImageReport {
  reference: string;
  origin: ImageOrigin;
  /** Digest of the config: the same in every place. */
  imageId: Digest;
  /** Digest of the manifest at its origin: it depends on the compression. */
  manifestDigest: Digest;
  platform: string;
  created?: string;
  version?: string;
  commit?: string;
  source?: string;
  toolchain?: string;
  base?: { name: string; digest?: string };
  config: ConfigReport;
  layers: LayerReport[];
  /** Size in bytes, uncompressed. */
  size: number;
  packedSize?: number;
  fileCount: number;
  largest: { path: string; size: number; layer: number }[];
  packages: Package[];
  /** Documents attached to it in the registry; not verified. */
  attached?: Attached[];
}

export interface ReportInput {
  reference: string;
  origin: ImageOrigin;
  /** Image with all its layers by value (see completeImage). */
  image: Image;
  /** Descriptor and manifest of the image in a registry. */
  remote?: { descriptor: Descriptor; manifest: Manifest };
  packages: Package[];
  attached?: Attached[];
}

const mostLargest = 10;

/** Composes the report; reads each layer once for its files. */
export async function reportImage({ reference, origin, image, remote, packages, attached }: ReportInput) {
  const { config, id, manifestDigest } = image;
  const settings = reportConfig(config);
  const layers = await Promise.all(
    image.layers.map((layer, index) => reportLayer(layer, index, config, remote?.manifest)),
  );
  const report: ImageReport = {
    reference,
    origin,
    imageId: id,
    manifestDigest: remote?.descriptor.digest ?? manifestDigest,
    platform: [config.os, config.architecture, config.variant].filter(Boolean).join('/'),
    ...(config.created && { created: String(config.created) }),
    ...readLabels(settings.labels),
    config: settings,
    layers,
    size: sum(layers.map(({ size }) => size)),
    ...(remote && { packedSize: sum(remote.manifest.layers.map(({ size }) => size)) }),
    fileCount: sum(layers.map(({ fileCount }) => fileCount)),
    largest: findLargest(layers),
    packages,
    ...(attached !== undefined && { attached }),
  };
  return report;
}

/** Returns the report without the list of all files. */
export function withoutFiles(report: ImageReport): ImageReport {
  return { ...report, layers: report.layers.map(({ files, ...layer }) => layer) };
}

/** Names each layer by the history, lowest first; empty where the numbers differ. */
export function nameLayers({ history = [], rootfs }: ImageConfig): string[] {
  const entries = listHistory(history);
  return rootfs.diff_ids.map((_, index) =>
    entries.length === rootfs.diff_ids.length ? (entries[index]?.created_by ?? '').replace(/^gbuild layer: /, '') : '',
  );
}

/** Returns titles for the layers; those of a base are marked. */
export function titleLayers(layers: readonly LayerReport[]): string[] {
  const hasOwn = layers.some(({ isOwn }) => isOwn);
  return layers.map(({ name, diffId, isOwn }) => `${hasOwn && !isOwn ? 'base: ' : ''}${name || formatDigest(diffId)}`);
}

async function reportLayer(
  layer: Layer,
  index: number,
  config: ImageConfig,
  manifest: Manifest | undefined,
): Promise<LayerReport> {
  const files = (await listFiles(layer)).map(({ offset, mtime, ...facts }): FileFacts => facts);
  const packed = manifest?.layers[index];
  const entry = listHistory(config.history ?? [])[index];
  const isOwn = /^gbuild layer: /.test(entry?.created_by ?? '') && entry?.created === config.created;
  return {
    name: nameLayers(config)[index] ?? '',
    diffId: layer.diffId,
    size: layer.size,
    ...(packed && { packed: { digest: packed.digest, size: packed.size, mediaType: packed.mediaType } }),
    isOwn,
    fileCount: files.filter(({ type }) => type !== 'directory' && type !== 'whiteout').length,
    files,
  };
}

function listHistory(history: HistoryEntry[]): HistoryEntry[] {
  return history.filter((entry) => entry.empty_layer !== true);
}

function findLargest(layers: LayerReport[]): ImageReport['largest'] {
  return layers
    .flatMap(({ files = [] }, index) =>
      files.filter(({ size }) => size > 0).map(({ path, size }) => ({ path, size, layer: index + 1 })),
    )
    .sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1))
    .slice(0, mostLargest);
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
