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

/** Size of an empty tar: two zero blocks. */
const emptyLayerSize = 1024;

const created = new Date(constantTime * 1000).toISOString().replace('.000Z', 'Z');

export interface NormaliseOptions {
  /** Image as the builder made it. */
  from: string;
  /** Reference of the result. */
  tag: string;
  /** Globs of paths to leave out. */
  volatile: string[];
  /** Java keystores, whose dates are removed. */
  keystores: string[];
  /** Number of the base's layers, which stay unchanged. */
  baseLayers: number;
  /** Text in the history of each new layer. */
  createdBy: string;
  hostDir: string;
}

/**
 * Makes an image from a built one whose id depends only on its content. Layers are sorted, with one time and without
 * files that differ from day to day, and gbuild writes the config. It is loaded under its tag in one step, so that no
 * incomplete image has that name.
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

/** Repacks one tar as a normalised layer; the file must stay until the layer has been loaded. */
export function repackTar(
  tarFile: string,
  { volatile, keystores, createdBy }: Pick<NormaliseOptions, 'volatile' | 'keystores' | 'createdBy'>,
): Promise<Layer> {
  const exclude = volatile.length === 0 ? () => false : picomatch(volatile, { dot: true });
  const rewrite = Object.fromEntries(keystores.map((path) => [path, withoutDates]));
  return repackLayer(tarFile, { mtime: constantTime, exclude, rewrite, createdBy });
}

/** Makes an image with one layer and no base. */
export function imageOfRoot(platform: string, layer: Layer, config: Partial<RunConfig>): Image {
  const [os = 'linux', architecture = 'amd64'] = platform.split('/');
  const scratch: BaseImage = { config: { os, architecture, config: {}, rootfs: { type: 'layers', diff_ids: [] } } };
  return extendImage(scratch, [layer], { created, config });
}

/** Loads a composed image; the layers of its base are sent only where the engine's store lacks them. */
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

/** Picks the settings that affect a container; the builder's own history and labels are dropped. */
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

/** Puts PATH first, as Docker does for a variable that a Dockerfile and its base set; podman puts it last. */
function withPathFirst(env: string[]): string[] {
  const isPath = (each: string) => each.startsWith('PATH=');
  return [...env.filter(isPath), ...env.filter((each) => !isPath(each))];
}

function withoutBuilders(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('io.buildah.')));
}
