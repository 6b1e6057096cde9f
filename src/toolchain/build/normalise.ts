import { statSync } from 'node:fs';
import { join } from 'node:path';
import picomatch from 'picomatch';
import { loadWhole } from '../../engine/transfer/load-attempts.ts';
import type { Digest } from '../../oci/digest.ts';
import { type BaseImage, extendImage, type Image } from '../../oci/image/image.ts';
import { readArchive } from '../../oci/image/read-archive.ts';
import { constantTime, type Layer, layerOfKnownFile } from '../../oci/layer/layer.ts';
import { repackLayer } from '../../oci/layer/repack.ts';
import type { ImageConfig, RunConfig } from '../../oci/spec.ts';
import { withoutDates } from '../host/keystore.ts';
import type { EnsuredImage, ToolchainContext } from '../image/toolchain-context.ts';

/** An empty tar: two zero blocks. */
const emptyLayerSize = 1024;

const created = new Date(constantTime * 1000).toISOString().replace('.000Z', 'Z');

export interface NormaliseOptions {
  /** The image as a builder made it. */
  from: string;
  /** The reference to give the result. */
  tag: string;
  /** Globs of paths to leave out. */
  volatile: string[];
  /** Java keystores, whose dates are taken out. */
  keystores: string[];
  /** How many of its layers are the base's and stay as they are. */
  baseLayers: number;
  /** Text of the history for each new layer. */
  createdBy: string;
  hostDir: string;
}

/**
 * Makes of a built image one whose id depends on what is in it: layers sorted with one time and without what differs from
 * day to day, a config of ours. It is loaded under its tag at once, so that nothing half-made bears that name.
 */
export async function normaliseImage(context: ToolchainContext, options: NormaliseOptions): Promise<EnsuredImage> {
  const { from, tag, volatile, keystores, baseLayers, createdBy, hostDir } = options;
  const saved = await readArchive(await context.engine.saveImage(from), join(hostDir, 'saved'));
  const layers: Layer[] = [];
  for (const file of saved.layerFiles.slice(baseLayers)) {
    context.stop.ask.throwIfAborted();
    const layer = await repackTar(file, { volatile, keystores, createdBy });
    if (layer.size > emptyLayerSize) layers.push(layer);
  }
  const base = baseOf(saved.config, baseLayers);
  const image = extendImage(base, layers, { created, config: pickConfig(saved.config.config) });
  const ofBase = saved.layerFiles.slice(0, baseLayers).map((file, index) => {
    const diffId = saved.config.rootfs.diff_ids[index]!;
    return layerOfKnownFile(file, { diffId, size: statSync(file).size, createdBy: 'gbuild base' });
  });
  return loadBuiltImage(context, image, tag, ofBase);
}

/** One tar as a normalised layer; the file has to stay until the layer has been loaded. */
export function repackTar(
  tarFile: string,
  { volatile, keystores, createdBy }: Pick<NormaliseOptions, 'volatile' | 'keystores' | 'createdBy'>,
): Promise<Layer> {
  const exclude = volatile.length === 0 ? () => false : picomatch(volatile, { dot: true });
  const rewrite = Object.fromEntries(keystores.map((path) => [path, withoutDates]));
  return repackLayer(tarFile, { mtime: constantTime, exclude, rewrite, createdBy });
}

/** An image of one layer on nothing. */
export function imageOfRoot(platform: string, layer: Layer, config: Partial<RunConfig>): Image {
  const [os = 'linux', architecture = 'amd64'] = platform.split('/');
  const scratch: BaseImage = { config: { os, architecture, config: {}, rootfs: { type: 'layers', diff_ids: [] } } };
  return extendImage(scratch, [layer], { created, config });
}

/** Loads an image that was put together here, with the layers of its base only where the engine's store lacks them. */
export async function loadBuiltImage(
  context: ToolchainContext,
  image: Image,
  tag: string,
  ofBase: Layer[] = [],
): Promise<EnsuredImage> {
  const attempts = [image.layers, ...(ofBase.length > 0 ? [[...ofBase, ...image.layers]] : [])];
  await loadWhole(context.engine, image, { tag, attempts, stop: context.stop });
  return { reference: tag, id: image.id };
}

function baseOf(config: ImageConfig, baseLayers: number): BaseImage {
  const diffIds: Digest[] = config.rootfs.diff_ids.slice(0, baseLayers);
  const { architecture, os, variant } = config;
  const history = diffIds.map(() => ({ created, created_by: 'gbuild base' }));
  return {
    config: {
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
      config: {},
      rootfs: { type: 'layers', diff_ids: diffIds },
      history,
    },
  };
}

/** Picks the settings that concern a container; how the builder came to them, and what it says of itself, is left behind. */
function pickConfig({ Env, Entrypoint, Cmd, WorkingDir, User, ExposedPorts, Labels }: RunConfig): Partial<RunConfig> {
  return {
    ...(Env ? { Env: withPathFirst(Env) } : {}),
    ...(Entrypoint ? { Entrypoint } : {}),
    ...(Cmd ? { Cmd } : {}),
    ...(WorkingDir ? { WorkingDir } : {}),
    ...(User ? { User } : {}),
    ...(ExposedPorts ? { ExposedPorts } : {}),
    ...(Labels ? { Labels: withoutBuilders(Labels) } : {}),
  };
}

/** As Docker leaves it, where a Dockerfile sets what its base has set; podman puts that at the end. */
function withPathFirst(env: string[]): string[] {
  const isPath = (each: string) => each.startsWith('PATH=');
  return [...env.filter(isPath), ...env.filter((each) => !isPath(each))];
}

function withoutBuilders(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('io.buildah.')));
}
