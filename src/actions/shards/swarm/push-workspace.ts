import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '../../../engine/engine.ts';
import { GbuildError } from '../../../errors.ts';
import { ownerText } from '../../../fs/process-owner.ts';
import { withTempDir } from '../../../fs/temp-dir.ts';
import type { Host, Stop } from '../../../host.ts';
import { extendImage, type Image } from '../../../oci/image/image.ts';
import type { Layer } from '../../../oci/layer/layer.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import { splitWorkspace } from '../../../plan/workspace-split.ts';
import { CompressedLayers } from '../../../registry/image/compressed-layers.ts';
import { type RemoteImage, readRemote } from '../../../registry/image/pull-image.ts';
import { type PushedImage, pushImage } from '../../../registry/image/push-image.ts';
import type { Registries } from '../../../registry/registries.ts';
import { formatBytes } from '../../../reporter/format.ts';
import type { Progress } from '../../../reporter/progress.ts';
import { packTree } from '../../../sync/push/pack-tree.ts';
import { readSources } from '../../../sync/read/read-local.ts';
import type { EnsuredImage } from '../../../toolchain/build/ensure.ts';
import { idTag, splitName } from '../../../toolchain/image/image-name.ts';
import { readIgnored } from '../../../workspace/git/ignored.ts';
import { assertThere, moveTags, showPushed } from '../../release/push/push.ts';
import type { WorkspaceSession } from '../../session/context.ts';
import { ensurePushed } from '../../toolchain/push/push.ts';

export interface PushWorkspaceInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  registries: Registries;
  /** Address as HOST or HOST:PORT, for this machine and for the nodes. */
  registry: string;
  /** Image to build in. */
  toolchain: EnsuredImage;
  /** User that tasks run as. */
  owner: { uid: number; gid: number };
  /** Additional layer that every container gets. */
  baseLayer: Layer;
}

/** One time for everything in the image: see packTree. */
const created = '1980-01-01T00:00:01Z';

/**
 * Pushes the workspace to a registry, on top of the build image: only layers that the registry lacks are sent. Returns
 * the image by its digest. A tag of this workspace and machine protects it from the registry's garbage collection,
 * until the next push.
 */
export async function pushWorkspaceImage(input: PushWorkspaceInput): Promise<string> {
  const { session, engine, host, progress, stop, registries, registry, toolchain } = input;
  const isOurs = toolchain.reference.startsWith('gbuild/');
  const path = isOurs ? splitName(toolchain.reference).path : 'gbuild/image';
  const from = registries.repository({ registry, path });
  await ensurePushed(input, from, toolchain, []);
  const base = await readRemote(from, idTag(toolchain.id));
  if (base === undefined) throw vanished(from.name, toolchain.id);
  const repository = registries.repository({ registry, path: `gbuild/workspace/${session.spec.name}` });
  const place = createHash('sha256').update(session.rootDir).digest('hex').slice(0, 16);
  return progress.step(`pushing the workspace to ${repository.name}`, (step) =>
    withTempDir(host, `${ownerText(engine.owner)}.ship-${place}`, async (tempDir) => {
      step.update('packing');
      const image = putOnBase(base, [input.baseLayer, ...(await packWorkspace(input))]);
      stop.ask.throwIfAborted();
      const pushed = await pushImage(repository, image, {
        layers: new CompressedLayers(join(host.cacheDir, 'compressed'), tempDir),
        known: layersOf(base),
        // Another checkout of the same repository has pushed most of them.
        mayHave: async () => true,
        signal: stop.ask,
        onProgress: showPushed(step),
      });
      await assertThere(repository, pushed);
      await moveTags(repository, pushed, [`${engine.owner.host}-${place}`]);
      progress.note(describePushed(image, pushed));
      return `${repository.name}@${pushed.descriptor.digest}`;
    }),
  );
}

async function packWorkspace({ session, host, owner }: PushWorkspaceInput): Promise<Layer[]> {
  const { rootDir, spec } = session;
  const ignored = await readIgnored(rootDir, host.env);
  const tree = await readSources({ rootDir, ignored, include: spec.sync.include, clock: 0 });
  const files = [...tree].map(([path, { kind, size }]) => ({ path, size: kind === 'file' ? size : 0 }));
  const layers: Layer[] = [];
  for (const paths of splitWorkspace(files)) {
    layers.push(packTree({ rootDir, tree, paths, owner, place: containerPaths.workspace.slice(1) }));
    // Packing is synchronous: progress and signals get a turn between layers.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return layers;
}

/** The base's layers are in the registry already, and are only referenced. */
function putOnBase(base: RemoteImage, layers: Layer[]): Image {
  const image = extendImage(base, layers, { created });
  const below = image.baseDiffIds.map(
    (diffId): Layer => ({
      diffId,
      size: 0,
      createdBy: 'image to build in',
      chunks: () => {
        throw vanished(base.repository.name, diffId);
      },
    }),
  );
  return { ...image, layers: [...below, ...image.layers], baseDiffIds: [] };
}

function layersOf({ config, manifest, repository: from }: RemoteImage) {
  const diffIds = config.rootfs.diff_ids;
  return new Map(diffIds.map((diffId, at) => [diffId as string, { descriptor: manifest.layers[at]!, from }]));
}

function describePushed({ layers }: Image, { layersSent, bytesSent }: PushedImage): string {
  if (layersSent === 0) return 'the registry has the workspace already';
  return `sent ${layersSent} of ${layers.length} layers, ${formatBytes(bytesSent)}`;
}

function vanished(name: string, what: string): GbuildError {
  return new GbuildError('registry-failed', `${name} had ${what} a moment ago and does not have it any more`, {
    suggestions: ['run the same command again'],
    facts: { name, what },
  });
}
