import { GbuildError } from '../../../errors.ts';
import { extendImage, type Image } from '../../../oci/image/image.ts';
import { completeSet, gatherImages, type ImageSet } from '../../../oci/layout/image-set.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { parseReference } from '../../../oci/reference.ts';
import { planRebase } from '../../../plan/rebase-plan.ts';
import { describeChanges } from '../../../toolchain/image/contents.ts';
import { assertMovingTag, parseReleaseVersion } from '../../image/assert-releasable.ts';
import { readBasePackages } from '../../image/base/base-packages.ts';
import { type ReleaseFacts, readOwnVersion } from '../../image/facts.ts';
import type { AppContext } from '../../session/context.ts';
import { findWorkspace } from '../../session/find-workspace.ts';
import { noRegistry, parseRegistry } from '../../session/registry-name.ts';
import { layersOfStore } from '../../store/open-layers.ts';
import { openStore } from '../../store/store.ts';
import { type Published, publishImage } from '../load-and-name.ts';
import type { PushRecord } from '../push/push.ts';
import { chooseNewBase, type NewBase } from './choose-base.ts';
import { type OpenedRelease, withRelease } from './open-release.ts';
import type { RebaseRequest } from './rebase-request.ts';

/** Result of `gbuild rebase --json`. */
export interface RebaseRecord extends Published {
  reference: string;
  version: string;
  imageId: string;
  manifestDigest: string;
  /** Old release, as `name:version@image id`. */
  rebasedFrom: string;
  base: { reference: string; imageId: string; manifestDigest: string };
  /** Layers of the application, unchanged. */
  layers: { name: string; diffId: string; size: number }[];
  /** Debian packages that differ between the bases; undefined where the old base's layers cannot be read. */
  changes?: string[];
  pushed?: PushRecord;
}

/** Parses `hello:1.0.1`, or a version alone for the caller's repository. */
export async function parseRelease(context: AppContext, text: string): Promise<{ name: string; version: string }> {
  const isWhole = text.includes(':');
  const session = isWhole ? undefined : await findWorkspace(context);
  const { repository: name, tag, registry } = parseReference(isWhole ? text : `${session?.spec.name ?? ''}:${text}`);
  if (tag !== undefined && registry === undefined) return { name, version: parseReleaseVersion(tag) };
  throw new GbuildError('usage', `${text}: a release is named NAME:VERSION, without a registry`, {
    suggestions: ['gbuild rebase hello:1.0.1 --release 1.0.2 --registry registry.example.com'],
    facts: { release: text },
  });
}

/**
 * Implements `gbuild rebase`: puts the application's layers of a release, byte for byte, on another base. Nothing is
 * built, and only the release and the base are read: the same two give the same bytes. The new version never moves
 * either.
 */
export async function rebaseRelease(request: RebaseRequest): Promise<RebaseRecord> {
  const { host, tags, push } = request;
  parseReleaseVersion(request.release);
  for (const tag of tags) assertMovingTag(tag);
  const session = await findWorkspace(request);
  const said = request.registry ?? (host.env.GBUILD_REGISTRY || session?.spec.registry);
  const registry = said === undefined ? undefined : parseRegistry(said);
  if (push && registry === undefined) throw noRegistry();
  const store = await openStore(host);
  return withRelease({ ...request, store, registry }, async (taken) => {
    const chosen = await chooseNewBase(request, session, taken, store);
    const image = putOnBase(request, taken, chosen);
    await assertRebasedStarts(request, image, chosen, store);
    const facts = factsOf(request, taken, chosen);
    const published = await publish(request, image, { store, facts });
    const pushed = push
      ? await pushSet(request, registry!, completeSet(gatherImages([image]), store), facts)
      : undefined;
    const changes = await listChanges(store, taken, chosen);
    return { ...recordOf(request, taken, chosen, image), ...published, ...changes, ...(pushed && { pushed }) };
  });
}

/** Puts the layers on the new base. The image keeps the released commit's time: the code is of that day. Pure. */
function putOnBase({ release }: RebaseRequest, taken: OpenedRelease, { reference, base }: NewBase): Image {
  const { config, layers, oldBase } = taken;
  const plan = planRebase({
    released: config,
    oldBase,
    newBase: base.config.config,
    labels: {
      'org.opencontainers.image.version': release,
      'org.opencontainers.image.base.name': reference,
      'org.opencontainers.image.base.digest': base.manifestDigest,
      'io.gbuild.rebased-from': nameOrigin(taken),
    },
  });
  const { labels } = plan;
  return extendImage(base, layers, { created: config.created ?? '', config: plan.config, labels, annotations: labels });
}

async function assertRebasedStarts(
  { name, release }: RebaseRequest,
  { layers, config }: Image,
  { reference: base, base: found }: NewBase,
  store: Layout,
): Promise<void> {
  const { assertLayersStart } = await import('../../image/assert-starts.ts');
  await assertLayersStart({ reference: `${name}:${release}`, base, layers, config }, found, store);
}

function nameOrigin({ reference, imageId }: OpenedRelease): string {
  return `${reference}@${imageId}`;
}

/** Returns the facts of the old release with the new base: no task ran for it. */
function factsOf({ release, installDir }: RebaseRequest, taken: OpenedRelease, { reference, base }: NewBase) {
  const { facts, imageId } = taken;
  if (facts === undefined) return undefined;
  return {
    ...facts,
    asked: { ...facts.asked, version: release, tasks: [] },
    base: { reference, digest: base.engineId, digestOf: 'config' as const },
    rebasedFrom: { reference: taken.reference, digest: imageId, digestOf: 'config' as const },
    toolVersion: readOwnVersion(installDir),
  };
}

function publish(
  request: RebaseRequest,
  image: Image,
  kept: { store: Layout; facts: ReleaseFacts | undefined },
): Promise<Published> {
  const { name: repository, release } = request;
  const reference = `${repository}:${release}`;
  const { created = '' } = image.config;
  const nothing = () => {};
  const packed = { image, set: gatherImages([image]), remember: nothing, forget: nothing };
  const { tryIt } = request;
  const options = { ...kept, ...(tryIt && { tryIt: (engineId: string) => tryIt(engineId, image.config.config) }) };
  return publishImage(request, { repository, version: release, tag: release, reference, created }, packed, options);
}

async function pushSet(
  request: RebaseRequest,
  registry: string,
  set: ImageSet,
  facts: ReleaseFacts | undefined,
): Promise<PushRecord> {
  const { keyFile, installDir } = request;
  const attest = request.attest ? { facts, keyFile, toolVersion: readOwnVersion(installDir) } : undefined;
  const { name: repository, release: version, engine } = request;
  const { pushTo } = await import('../push/push.ts');
  return pushTo({ ...request, registry, set, repository, version, runId: engine.runId, attest });
}

async function listChanges(store: Layout, { baseDiffIds, open }: OpenedRelease, { base }: NewBase) {
  const before = await readBasePackages(baseDiffIds, open);
  const after = await readBasePackages(base.config.rootfs.diff_ids, layersOfStore(store));
  return before === undefined || after === undefined ? {} : { changes: describeChanges(before, after) };
}

function recordOf({ name, release }: RebaseRequest, taken: OpenedRelease, { reference, base }: NewBase, image: Image) {
  return {
    reference: `${name}:${release}`,
    version: release,
    imageId: image.id,
    manifestDigest: image.manifestDigest,
    rebasedFrom: nameOrigin(taken),
    base: { reference, imageId: base.engineId, manifestDigest: base.manifestDigest },
    layers: image.layers.map(({ createdBy, diffId, size }) => ({ name: createdBy, diffId, size })),
  };
}
