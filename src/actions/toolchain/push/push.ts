import { join } from 'node:path';
import { saveImage } from '../../../engine/transfer/save-image.ts';
import { GbuildError } from '../../../errors.ts';
import { ownerText } from '../../../fs/process-owner.ts';
import { withTempDir } from '../../../fs/temp-dir.ts';
import type { Digest } from '../../../oci/digest.ts';
import { CompressedLayers } from '../../../registry/image/compressed-layers.ts';
import { type RemoteImage, readRemote } from '../../../registry/image/pull-image.ts';
import { pushImage } from '../../../registry/image/push-image.ts';
import type { Registries } from '../../../registry/registries.ts';
import type { Repository } from '../../../registry/repository.ts';
import { type EnsuredImage, type EnsuredToolchain, ensureToolchain } from '../../../toolchain/build/ensure.ts';
import { idTag, splitName } from '../../../toolchain/image/image-name.ts';
import { assertThere, moveTags, showPushed } from '../../release/push/push.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { openWorkspace } from '../../session/open-repository.ts';
import { noRegistry, parseRegistry } from '../../session/registry-name.ts';
import { resolveNamed, type ToolchainInput } from '../images.ts';
import { nameRegistry } from './record-registry.ts';

export interface PushToolchainRequest extends ToolchainInput {
  registry: string | undefined;
}

export interface PushedToolchainImage {
  /** Reference `HOST/gbuild/node:id-...`, which never moves. */
  reference: string;
  id: string;
  /** Digest of the manifest in the registry. */
  digest: Digest;
  alreadyThere: boolean;
  layersSent: number;
  bytesSent: number;
}

export interface PushedToolchain {
  registry: string;
  name: string;
  version: string;
  images: PushedToolchainImage[];
  /** Whether gbuild.lock was changed to name the registry. */
  lockWritten: boolean;
}

/**
 * Implements `gbuild toolchain push`. Both images go to a registry under their usual tags, which may move, and under
 * names made of their ids, which never do. Then the repository's lock names the registry.
 */
export async function pushToolchain(request: PushToolchainRequest): Promise<PushedToolchain> {
  const { engine, host, progress, stop } = request;
  const session = request.request === undefined ? await openWorkspace(request) : undefined;
  const toolchain = session?.toolchain ?? (await resolveNamed(request));
  if (toolchain.kind === 'image') throw notOurs(toolchain.request);
  const said = request.registry ?? (host.env.GBUILD_REGISTRY || session?.spec.registry);
  if (said === undefined) throw noRegistry();
  const registry = parseRegistry(said);
  const images = await ensureToolchain(toolchain, { engine, host, progress, stop, role: 'both' });
  const pushed = await withRegistries(request, (registries) => pushBoth(request, registries, registry, images));
  const lockWritten = session !== undefined && (await nameRegistry(session, { registry, images, engine, progress }));
  return { registry, name: toolchain.name, version: toolchain.version, images: pushed, lockWritten };
}

async function pushBoth(
  request: PushToolchainRequest,
  registries: Registries,
  registry: string,
  { build, runtime = build }: EnsuredToolchain,
): Promise<PushedToolchainImage[]> {
  const pushed: PushedToolchainImage[] = [];
  for (const image of new Map([build, runtime].map((each) => [each.reference, each])).values()) {
    const { path, tag } = splitName(image.reference);
    pushed.push(await ensurePushed(request, registries.repository({ registry, path }), image, [tag]));
  }
  return pushed;
}

type PushContext = Pick<PushToolchainRequest, 'host' | 'engine' | 'stop' | 'progress'>;

/** Ensures that a registry has an engine's image under its id, and under tags that may move. */
export async function ensurePushed(
  options: PushContext,
  repository: Repository,
  image: EnsuredImage,
  tags: string[],
): Promise<PushedToolchainImage> {
  return (await findPushed(repository, image, tags)) ?? (await pushOne(options, repository, image, tags));
}

/** The registry has the image by its id: only the movable tags are checked. */
async function findPushed(
  repository: Repository,
  image: EnsuredImage,
  tags: string[],
): Promise<PushedToolchainImage | undefined> {
  const standing = await readRemote(repository, idTag(image.id));
  if (standing?.manifest.config.digest !== image.id) return undefined;
  await moveTags(repository, standing, tags);
  return describe(repository, image, standing, { alreadyThere: true, layersSent: 0, bytesSent: 0 });
}

/** Pushes one image under the names of its config and of its manifest: engines use one or the other as the id. */
function pushOne(
  { host, engine, stop, progress }: PushContext,
  repository: Repository,
  { id, reference }: EnsuredImage,
  tags: string[],
): Promise<PushedToolchainImage> {
  const short = id.slice('sha256:'.length, 'sha256:'.length + 12);
  return progress.step(`pushing ${repository.name}:${tags[0] ?? idTag(id)}`, (step) =>
    withTempDir(host, `${ownerText(engine.owner)}.push-${short}`, async (tempDir) => {
      step.update('reading it from the engine');
      const image = await saveImage(engine, reference, join(tempDir, 'saved'));
      stop.ask.throwIfAborted();
      const pushed = await pushImage(repository, image, {
        layers: new CompressedLayers(join(host.cacheDir, 'compressed'), tempDir),
        known: new Map(),
        // Toolchains share their base with others that somebody may already have pushed.
        mayHave: async () => true,
        signal: stop.ask,
        onProgress: showPushed(step),
      });
      await assertThere(repository, pushed);
      const ids = [image.id, image.manifestDigest];
      await moveTags(repository, pushed, [...ids.map(idTag), ...tags]);
      const { layersSent, bytesSent } = pushed;
      return describe(repository, image, pushed, { alreadyThere: false, layersSent, bytesSent });
    }),
  );
}

function describe(
  repository: Repository,
  { id }: { id: string },
  { descriptor }: Pick<RemoteImage, 'descriptor'>,
  sent: Pick<PushedToolchainImage, 'alreadyThere' | 'layersSent' | 'bytesSent'>,
): PushedToolchainImage {
  return { reference: `${repository.name}:${idTag(id)}`, id, digest: descriptor.digest, ...sent };
}

function notOurs(request: string): GbuildError {
  return new GbuildError('usage', `${request} is an image that is pulled from where it is: there is nothing to push`, {
    suggestions: [`docker push ${request}   # if it is yours`],
    facts: { request },
  });
}
