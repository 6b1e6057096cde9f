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
import { findBaseLayers, findSentLayers, type SentLayers } from './reusable-layers.ts';

export interface PushRequest {
  host: Host;
  progress: Progress;
  stop: Stop;
  registries: Registries;
  /** Address as HOST or HOST:PORT. */
  registry: string;
  /** Set with all layers by value (see completeSet). */
  set: ImageSet;
  /** Path such as `acme/hello`. */
  repository: string;
  version: string;
  /** Additional tags, which may move. */
  tags: string[];
  /** Word that no other command uses. */
  runId: string;
  /** Undefined to attach nothing. */
  attest: Attest | undefined;
  /** Layers that other pushes of this command have sent; those of this one are added. */
  sentLayers?: SentLayers;
}

/** Documents to attach to the release. */
export interface Attest {
  facts: ReleaseFacts | undefined;
  /** Private key file, where the command line names one. */
  keyFile: string | undefined;
  toolVersion: string;
}

/** Result of a push. */
export interface PushRecord {
  /** Reference such as `registry/repository:version`. */
  reference: string;
  /**
   * Digest of the manifest with compressed layers, or of the index. `registry/repository@digest` means this release for
   * ever.
   */
  digest: Digest;
  /** Whether the registry had the release before. */
  alreadyReleased: boolean;
  tags: string[];
  /** Types of the attached documents and signatures. */
  attached: string[];
  layersSent: number;
  bytesSent: number;
}

/** Opens the registry and pushes to it. */
export function pushTo(request: Omit<PushRequest, 'registries'>): Promise<PushRecord> {
  return withRegistries(request, (registries) => pushRelease({ ...request, registries }));
}

/**
 * Pushes a release. An image that already has the version decides first. Then layers, config and manifest are pushed by
 * digest alone, and the registry's result is checked. Only then the version is named, exactly once, and after it the
 * movable tags. A crash at any moment leaves no half release, and the next push continues from there.
 */
export async function pushRelease(request: PushRequest): Promise<PushRecord> {
  const { registries, registry, progress, set, repository: path, version, tags } = request;
  const repository = registries.repository({ registry, path });
  const reference = `${registry}/${path}:${version}`;
  const signing = await readSigning(request.host, request.attest?.keyFile);
  const known = new Map(set.images.map((image) => [image, findKnownLayers(request, image)]));
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
  rememberLayers(request, pushed);
  const attached = await attachTo(request, repository, pushed, signing);
  const alreadyReleased = await nameOnce(request, repository, pushed, reference);
  await moveTags(repository, pushed, tags);
  const { descriptor, layersSent, bytesSent } = pushed;
  return { reference, digest: descriptor.digest, alreadyReleased, tags, attached, layersSent, bytesSent };
}

/** Finds layers that need not be sent: of this command's pushes, and of a base that came from a registry. */
async function findKnownLayers({ registries, sentLayers }: PushRequest, image: Image) {
  return new Map([...findSentLayers(registries, image, sentLayers), ...(await findBaseLayers(registries, image))]);
}

function rememberLayers({ sentLayers, registry, repository: path, set }: PushRequest, { images }: PushedSet): void {
  for (const [at, { manifest }] of images.entries())
    for (const [index, diffId] of (set.images[at]?.config.rootfs.diff_ids ?? []).entries())
      sentLayers?.set(diffId, { descriptor: manifest.layers[index]!, registry, path });
}

/** Attaches before the version is named: everyone who finds the release finds the attachments too. */
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
      // An index is named after its images are confirmed; the named manifest is checked below.
      if (isIndexed(set)) await assertThere(repository, pushed);
      return pushed;
    });
  });
}

/** Shows bytes and rate of the layer that moved last. */
export function showPushed(step: Step): (state: PushState) => void {
  const meters = new Map<string, TransferMeter>();
  return ({ layer, count, size }) => {
    const meter = meters.get(layer) ?? new TransferMeter(size);
    meters.set(layer, meter);
    meter.add(count);
    step.update(`${layer}: ${meter.describe()}`);
  };
}

/**
 * Asserts by digest that the registry has the manifest, before it is named. A registry may accept a manifest and lose
 * it.
 */
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

/**
 * Names the version. Returns whether somebody else named the same image meanwhile; throws where it was another image.
 */
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

/** Moves these tags to the manifest, wherever they pointed. */
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
