import { join } from 'node:path';
import { ownerText, readOwner } from '../engine/owner.ts';
import { GbuildError } from '../errors.ts';
import type { Host, Stop } from '../host.ts';
import type { Digest } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import { nameVersion } from '../registry/claim-version.ts';
import { CompressedLayers } from '../registry/compressed-layers.ts';
import { type RemoteImage, readRemote } from '../registry/pull-image.ts';
import { type PushedImage, type PushState, pushImage } from '../registry/push-image.ts';
import type { Registries } from '../registry/registries.ts';
import type { Repository } from '../registry/repository.ts';
import { formatBytes } from '../reporter/format.ts';
import type { Progress, Step } from '../reporter/progress.ts';
import { findBaseLayers } from './base-layers.ts';
import { withRegistries } from './open-registries.ts';
import { assertSameRelease } from './remote-release.ts';
import { withSpool } from './spools.ts';

export interface PushRequest {
  host: Host;
  progress: Progress;
  stop: Stop;
  registries: Registries;
  /** HOST or HOST:PORT. */
  registry: string;
  /** All its layers by value (see completeImage). */
  image: Image;
  /** `acme/hello`. */
  repository: string;
  version: string;
  /** Further tags, which may move. */
  tags: string[];
  /** A word that no other command has. */
  runId: string;
}

/** What a push answers. */
export interface PushRecord {
  /** `registry/repository:version`. */
  reference: string;
  /** Of the manifest with compressed layers: `registry/repository@digest` is this image for ever. */
  digest: Digest;
  /** It was there before. */
  alreadyReleased: boolean;
  tags: string[];
  layersSent: number;
  bytesSent: number;
}

/** Pushes to a registry that is opened for it. */
export function pushTo(request: Omit<PushRequest, 'registries'>): Promise<PushRecord> {
  return withRegistries(request, (registries) => pushRelease({ ...request, registries }));
}

/**
 * The story of a push. What bears the version already decides first; then layers, config and manifest go there, known by
 * digest alone; what the registry made of them is looked at; and only then the version is named, once and for ever, and after
 * it the tags that may move. Dying at any moment leaves no half release, and the next push goes on from there.
 */
export async function pushRelease(request: PushRequest): Promise<PushRecord> {
  const { registries, registry, progress, image, repository: path, version, tags } = request;
  const repository = registries.repository({ registry, path });
  const reference = `${registry}/${path}:${version}`;
  const standing = await readRemote(repository, version);
  if (standing !== undefined) {
    await assertSameRelease(reference, standing, image);
    await moveTags(repository, standing, tags);
    const { digest } = standing.descriptor;
    return { reference, digest, alreadyReleased: true, tags, layersSent: 0, bytesSent: 0 };
  }
  const pushed = await progress.step(`pushing ${reference}`, (step) => send(request, repository, step));
  await assertThere(repository, pushed);
  const alreadyReleased = await nameOnce(request, repository, pushed, reference);
  await moveTags(repository, pushed, tags);
  const { descriptor, layersSent, bytesSent } = pushed;
  return { reference, digest: descriptor.digest, alreadyReleased, tags, layersSent, bytesSent };
}

function send(
  { host, stop, image, registries }: PushRequest,
  repository: Repository,
  step: Step,
): Promise<PushedImage> {
  return withSpool(host, `${ownerText(readOwner())}.push`, async (spoolDir) =>
    pushImage(repository, image, {
      layers: new CompressedLayers(join(host.cacheDir, 'compressed'), spoolDir),
      known: await findBaseLayers(registries, image),
      signal: stop.ask,
      onProgress: showPushed(step),
    }),
  );
}

/** Bytes and rate of the layer that moved last. */
export function showPushed(step: Step): (state: PushState) => void {
  const began = new Map<string, number>();
  return ({ layer, sent, size }) => {
    const now = performance.now();
    const start = began.get(layer) ?? now;
    began.set(layer, start);
    const rate = now - start < 500 ? '' : `, ${formatBytes((sent * 1000) / (now - start))}/s`;
    step.update(`${layer}: ${formatBytes(sent)} of ${formatBytes(size)}${rate}`);
  };
}

/** By digest, before anything is named: a registry that took it and does not have it has no release. */
export async function assertThere(repository: Repository, { descriptor }: PushedImage): Promise<void> {
  const there = await repository.readManifest(descriptor.digest);
  if (there?.descriptor.digest === descriptor.digest) return;
  throw new GbuildError(
    'registry-failed',
    `${repository.registry} took the manifest ${descriptor.digest} of ${repository.path} and does not have it; nothing was named`,
    {
      suggestions: ['run the same command again'],
      facts: { registry: repository.registry, digest: descriptor.digest },
    },
  );
}

/** Whether somebody else had named the same image meanwhile; refused where it was another one. */
async function nameOnce(
  { version, runId, stop, progress, image }: PushRequest,
  repository: Repository,
  { descriptor, manifestBytes }: PushedImage,
  reference: string,
): Promise<boolean> {
  let isOurs = false;
  const claim = {
    version,
    digest: descriptor.digest,
    claimant: runId,
    signal: stop.ask,
    onWait: (text: string) => progress.note(`${text}; waiting`),
  };
  const standing = await nameVersion(repository, claim, async () => {
    isOurs = true;
    await repository.writeManifest(version, manifestBytes, descriptor.mediaType);
  });
  if (standing === descriptor.digest) return !isOurs;
  const other = await readRemote(repository, standing);
  if (other !== undefined) await assertSameRelease(reference, other, image);
  return true;
}

/** Gives the manifest these tags, from whatever they were on. */
export async function moveTags(
  repository: Repository,
  { descriptor, manifestBytes }: Pick<RemoteImage, 'descriptor' | 'manifestBytes'>,
  tags: string[],
): Promise<void> {
  for (const tag of tags) {
    if ((await repository.headManifest(tag))?.digest === descriptor.digest) continue;
    await repository.writeManifest(tag, manifestBytes, descriptor.mediaType);
  }
}
