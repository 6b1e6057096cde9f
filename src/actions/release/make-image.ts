import { GbuildError } from '../../errors.ts';
import { completeSet, gatherImages, type ImageSet } from '../../oci/layout/image-set.ts';
import { nameOfPlatform } from '../../oci/platform.ts';
import type { ImagePlan } from '../../plan/image-plan.ts';
import { assertMovingTag, parseReleaseVersion } from '../image/assert-releasable.ts';
import { gatherFacts, type ReleaseFacts, readOwnVersion } from '../image/facts.ts';
import { assertOutputsFree, type ImageOutput, parseOutputs, writeOutputs } from '../image/outputs.ts';
import type { PackedImage } from '../image/pack.ts';
import { LostLayerError } from '../image/pack-changed.ts';
import { type PreparedImage, prepareImage, readReleasable } from '../image/prepare-image.ts';
import { cleanEngine } from '../maintenance/clean-up.ts';
import { sweepFiles } from '../maintenance/sweep-files.ts';
import { RunSecrets } from '../run/run-secrets.ts';
import { pruneRuns } from '../run/sweep-runs.ts';
import { noRegistry, parseRegistry } from '../session/registry-name.ts';
import { openStore } from '../store/store.ts';
import { type Published, type PublishOptions, publishImage } from './load-and-name.ts';
import type { MakeImageRequest } from './make-image-request.ts';
import type { PushRecord } from './push/push.ts';
import { type ImageRecord, recordOf } from './record.ts';

/**
 * Implements `gbuild image`: checks, builds, packs, computes the image's id, and only then loads it into an engine. The
 * image gets its name in the last step, so a crash at any moment leaves no half release.
 */
export async function makeImage(request: MakeImageRequest): Promise<ImageRecord> {
  const began = performance.now();
  const { host, session } = request;
  const version = request.version === undefined ? undefined : parseReleaseVersion(request.version);
  for (const tag of request.tags) assertMovingTag(tag);
  const outputs = parseOutputs(request.outputs, host.cwd);
  assertOutputsFree(outputs);
  const target = request.push === undefined ? undefined : choosePushTarget(request, version);
  const chosen = { ...request, version, target, files: outputs, began };
  if (version === undefined) return makeFrom(chosen);
  const { commit } = await readReleasable(session, host.env);
  const { withReleaseTree } = await import('./release-tree.ts');
  // A secret's file and command belong to the caller's folder, wherever the release is built.
  const secrets = new RunSecrets(request);
  return withReleaseTree(request, commit, (inside) => makeFrom({ ...chosen, session: inside, secrets }));
}

interface ChosenImage extends MakeImageRequest {
  target: string | undefined;
  files: ImageOutput[];
  /** Start time by `performance.now()`. */
  began: number;
}

async function makeFrom(request: ChosenImage): Promise<ImageRecord> {
  const { session, engine, stop, host, version, target, files } = request;
  const store = await openStore(host);
  const secrets = request.secrets ?? new RunSecrets(request);
  const prepared = await prepareImage({ ...request, secrets, sweeps: false }, store);
  const { plan, base, revision } = prepared;
  stop.ask.throwIfAborted();
  const swept = Promise.allSettled([cleanEngine(engine), sweepFiles(host), pruneRuns(host)]);
  const facts = version === undefined ? undefined : gatherFacts({ ...request, ...prepared, revision: revision! });
  const tryIt = (engineId: string) => trySmoke({ ...request, secrets }, prepared, engineId);
  const { packed, set, published } = await publishPacked(request, prepared, { store, facts, tryIt }).finally(
    () => swept,
  );
  const { image } = packed;
  await writeOutputs(files, plan.reference, { set, image }, store);
  const pushed = target === undefined ? undefined : await push(request, target, plan, completeSet(set, store), facts);
  return recordOf({
    plan,
    image,
    set,
    base,
    revision,
    toolchain: session.toolchain,
    ...published,
    ...(pushed !== undefined && { pushed }),
    seconds: (performance.now() - request.began) / 1000,
  });
}

/** Packs the whole tree where another run moved the name of the last image while this one was put on top of it. */
async function publishPacked(
  request: ChosenImage,
  { plan, packed, set }: PreparedImage,
  options: PublishOptions,
): Promise<{ packed: PackedImage; set: ImageSet; published: Published }> {
  try {
    return { packed, set, published: await publishImage(request, plan, { ...packed, set }, options) };
  } catch (thrown) {
    if (!(thrown instanceof LostLayerError) || packed.packWhole === undefined) throw thrown;
    const whole = await request.progress.step('packing all layers', packed.packWhole);
    const alone = gatherImages([whole.image]);
    return {
      packed: whole,
      set: alone,
      published: await publishImage(request, plan, { ...whole, set: alone }, options),
    };
  }
}

/** Starts the image on this engine only: an image for another platform does not run on it. */
async function trySmoke(
  request: ChosenImage & { secrets: RunSecrets },
  { plan, packed: { image }, platformBases }: PreparedImage,
  engineId: string,
): Promise<void> {
  const { smoke } = plan;
  if (smoke === undefined) return;
  const { smokeImage } = await import('./smoke-image.ts');
  const healthTest = image.config.config.Healthcheck?.Test;
  await smokeImage({ ...request, plan, smoke, engineId, healthTest, mask: request.secrets.mask });
  if (platformBases.length === 0) return;
  const others = platformBases.map(({ config }) => nameOfPlatform(config)).join(' and ');
  request.progress.note(
    `${plan.reference} for ${others} was not started: this engine runs ${nameOfPlatform(image.config)}`,
  );
}

/** Chooses the push target before anything is built. */
function choosePushTarget({ push, host, session }: MakeImageRequest, version: string | undefined): string {
  if (version === undefined)
    throw new GbuildError('usage', '--push: only a release is pushed, for what others see must never move', {
      suggestions: ['gbuild image --release 1.0.1 --push'],
    });
  const registry = push?.registry ?? (host.env.GBUILD_REGISTRY || session.spec.registry);
  if (registry === undefined) throw noRegistry();
  return parseRegistry(registry);
}

async function push(
  request: MakeImageRequest,
  registry: string,
  plan: ImagePlan,
  set: ImageSet,
  facts: ReleaseFacts | undefined,
): Promise<PushRecord> {
  const { tags, installDir } = request;
  const attest = request.push?.attest
    ? { facts, keyFile: request.push.keyFile, toolVersion: readOwnVersion(installDir) }
    : undefined;
  const { pushTo } = await import('./push/push.ts');
  return pushTo({ ...request, registry, set, repository: plan.repository, version: plan.tag, tags, attest });
}
