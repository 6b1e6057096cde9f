import { join } from 'node:path';
import { GbuildError } from '../../../errors.ts';
import { ownerText, readOwner } from '../../../fs/process-owner.ts';
import { withTempDir } from '../../../fs/temp-dir.ts';
import type { Host, Stop } from '../../../host.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Image } from '../../../oci/image/image.ts';
import { type ImageSet, isIndexed } from '../../../oci/layout/image-set.ts';
import { nameVersion } from '../../../registry/image/claim-version.ts';
import { CompressedLayers } from '../../../registry/image/compressed-layers.ts';
import type { RemoteImage } from '../../../registry/image/pull-image.ts';
import { type PushedImage, type PushState, pushImage } from '../../../registry/image/push-image.ts';
import type { Registries } from '../../../registry/registries.ts';
import type { Repository } from '../../../registry/repository.ts';
import type { Progress, Step } from '../../../reporter/progress.ts';
import { TransferMeter } from '../../../reporter/transfer.ts';
import type { ReleaseFacts } from '../../image/facts.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { assertSameRelease } from '../../store/assert-same-release.ts';
import { findRelease } from '../../store/find-release.ts';
import { readSigning, type Signing } from '../attest/signing-key.ts';
import { askNewest } from './earlier-layers.ts';
import { type PushedSet, pushSet } from './push-set.ts';
import { findBaseLayers } from './reusable-layers.ts';

export interface PushRequest {
  host: Host;
  progress: Progress;
  stop: Stop;
  registries: Registries;
  /** HOST or HOST:PORT. */
  registry: string;
  /** All layers by value (see completeSet). */
  set: ImageSet;
  /** `acme/hello`. */
  repository: string;
  version: string;
  /** Further tags, which may move. */
  tags: string[];
  /** A word that no other command has. */
  runId: string;
  /** Undefined: nothing is attached. */
  attest: Attest | undefined;
}

/** Documents to attach to the release. */
export interface Attest {
  facts: ReleaseFacts | undefined;
  /** A private key, where the command line names one. */
  keyFile: string | undefined;
  toolVersion: string;
}

/** Answer of a push. */
export interface PushRecord {
  /** `registry/repository:version`. */
  reference: string;
  /** Digest of the manifest with compressed layers, or of the index: `registry/repository@digest` is this release for ever. */
  digest: Digest;
  /** It was there before. */
  alreadyReleased: boolean;
  tags: string[];
  /** Types of the documents and signatures that were attached. */
  attached: string[];
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
  const { registries, registry, progress, set, repository: path, version, tags } = request;
  const repository = registries.repository({ registry, path });
  const reference = `${registry}/${path}:${version}`;
  const signing = await readSigning(request.host, request.attest?.keyFile);
  const known = new Map(set.images.map((image) => [image, findBaseLayers(registries, image)]));
  const standing = await findRelease({ name: path, version, repository });
  if (standing !== undefined) {
    await assertSameRelease(reference, standing, set);
    const attached = await attachTo(request, repository, standing, signing);
    await moveTags(repository, standing, tags);
    const { digest } = standing.descriptor;
    return { reference, digest, alreadyReleased: true, tags, attached, layersSent: 0, bytesSent: 0 };
  }
  const pushed = await progress.step(`pushing ${reference}`, (step) => send(request, repository, known, step));
  await assertThere(repository, pushed);
  const attached = await attachTo(request, repository, pushed, signing);
  const alreadyReleased = await nameOnce(request, repository, pushed, reference);
  await moveTags(repository, pushed, tags);
  const { descriptor, layersSent, bytesSent } = pushed;
  return { reference, digest: descriptor.digest, alreadyReleased, tags, attached, layersSent, bytesSent };
}

/** Before the version is named: whoever finds the release finds them too. */
async function attachTo(
  { attest, set, version, progress }: PushRequest,
  repository: Repository,
  there: Pick<PushedSet, 'descriptor' | 'images'>,
  signing: Signing,
): Promise<string[]> {
  if (attest === undefined) return [];
  const { attachToSet } = await import('../attest/attach-attestations.ts');
  const input = { ...attest, repository, version, signing };
  return progress.step('attaching SBOM and provenance', () => attachToSet(set, there, input));
}

function send(
  { host, stop, set }: PushRequest,
  repository: Repository,
  known: ReadonlyMap<Image, ReturnType<typeof findBaseLayers>>,
  step: Step,
): Promise<PushedSet> {
  return withTempDir(host, `${ownerText(readOwner())}.push`, (tempDir) => {
    const layers = new CompressedLayers(join(host.cacheDir, 'compressed'), tempDir);
    const options = { layers, mayHave: askNewest(repository), signal: stop.ask, onProgress: showPushed(step) };
    return pushSet(repository, set, async (image) => {
      const pushed = await pushImage(repository, image, { ...options, known: await known.get(image)! });
      // An index is not named before its images are there; what bears the name is looked at below.
      if (isIndexed(set)) await assertThere(repository, pushed);
      return pushed;
    });
  });
}

/** Bytes and rate of the layer that moved last. */
export function showPushed(step: Step): (state: PushState) => void {
  const meters = new Map<string, TransferMeter>();
  return ({ layer, count, size }) => {
    const meter = meters.get(layer) ?? new TransferMeter(size);
    meters.set(layer, meter);
    meter.add(count);
    step.update(`${layer}: ${meter.describe()}`);
  };
}

/** By digest, before anything is named: a registry that took it and does not have it has no release. */
export async function assertThere(
  repository: Repository,
  { descriptor }: Pick<PushedImage, 'descriptor'>,
): Promise<void> {
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
  { version, runId, stop, progress, set }: PushRequest,
  repository: Repository,
  { descriptor, manifestBytes }: PushedSet,
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
  const other = await findRelease({ name: repository.path, version: standing, repository });
  if (other !== undefined) await assertSameRelease(reference, other, set);
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
