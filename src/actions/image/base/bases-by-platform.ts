import { GbuildError } from '../../../errors.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Image } from '../../../oci/image/image.ts';
import { readImageDocuments } from '../../../oci/layout/read-document.ts';
import { nameOfPlatform, splitPlatform } from '../../../oci/platform.ts';
import { formatReference, parseReference } from '../../../oci/reference.ts';
import type { ImagePlan } from '../../../plan/image-plan.ts';
import { type RemoteImage, readRemote } from '../../../registry/image/pull-image.ts';
import type { Registries } from '../../../registry/registries.ts';
import { formatDigest } from '../../../reporter/format.ts';
import { idTag, splitName } from '../../../toolchain/image/image-name.ts';
import type { WorkspaceSession } from '../../session/context.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { isIndex } from '../../store/choose-platform.ts';
import { type RemoteSet, readRemoteSet } from '../../store/remote-set.ts';
import { findLocked, listRegistries } from '../../toolchain/locked-images.ts';
import { keepBase } from './keep-base.ts';
import { obtainBase } from './obtain-base.ts';
import { findBase, type KnownBase, nothing, nothingFor, type ReadBaseInput } from './read-base.ts';

type PlatformBasesInput = ReadBaseInput & { session: WorkspaceSession };

/**
 * Reads the base for each platform of the plan except the engine's, from registries. No engine is asked for these.
 * Throws `release-refused` where a base is not available.
 */
export async function readBasesByPlatform(plan: ImagePlan, input: PlatformBasesInput): Promise<KnownBase[]> {
  const { engine } = input;
  const { platform } = await engine.info();
  const own = nameOfPlatform(splitPlatform(platform));
  const others = (plan.platforms ?? []).filter((each) => each !== own);
  if (plan.platforms !== undefined && others.length === plan.platforms.length) throw leftOut(own, plan, input);
  if (others.length === 0) return [];
  if (plan.base === nothing) return others.map(nothingFor);
  const isLocked = input.session.spec.image.base === 'auto' && input.session.toolchain.kind !== 'image';
  return withRegistries(input, async (registries) => {
    const bases: KnownBase[] = [];
    if (isLocked) for (const each of others) bases.push(await readLockedBase(plan.base, each, registries, input));
    else bases.push(...(await readListedBases(plan.base, others, registries, input)));
    return bases;
  });
}

/** Reads the toolchain's runtime for that platform, exactly the image that gbuild.lock names. */
async function readLockedBase(
  reference: string,
  platform: string,
  registries: Registries,
  input: PlatformBasesInput,
): Promise<KnownBase> {
  const id = findLocked(input.session, platform)?.runtime;
  if (id === undefined) throw notLocked(platform, `gbuild.lock has no entry for ${platform}`);
  const known = await findBase(input.store, id as Digest);
  if (known !== undefined) return known;
  const asked = listRegistries(input);
  let failure: GbuildError | undefined;
  for (const registry of asked) {
    const repository = registries.repository({ registry, path: splitName(reference).path });
    const remote = await readRemote(repository, idTag(id)).catch((thrown: unknown) => {
      input.stop.ask.throwIfAborted();
      if (!(thrown instanceof GbuildError)) throw thrown;
      failure ??= thrown;
      return undefined;
    });
    if (remote !== undefined) return keep(remote, platform, id as Digest, input);
  }
  if (failure !== undefined) throw failure;
  const where =
    asked.length === 0 ? 'no registry is named that could have it' : `${asked.join(', ')} has no such image`;
  throw notLocked(platform, `gbuild.lock names ${formatDigest(id)} for ${platform}, and ${where}`);
}

/**
 * Reads the platforms' images of one index. The engine's image must be in the same index, or the release would mix
 * bases of two days.
 */
async function readListedBases(
  reference: string,
  platforms: string[],
  registries: Registries,
  input: PlatformBasesInput,
): Promise<KnownBase[]> {
  const { registry = 'docker.io', repository: path, tag, digest } = parseReference(reference);
  const repository = registries.repository({ registry, path });
  const own = await obtainBase(reference, input);
  const ownId = await readConfigDigest(own, input);
  const wanted = [...platforms, nameOfPlatform(own.config)];
  const set = await readRemoteSet(repository, digest ?? tag ?? 'latest', wanted);
  const listed = new Map(set?.images.map((image) => [nameOfPlatform(image.config), image]));
  const missing = platforms.filter((platform) => !listed.has(platform));
  if (missing.length > 0) throw notListed(reference, missing, set);
  const listedOwn = listed.get(nameOfPlatform(own.config));
  if (listedOwn?.manifest.config.digest !== ownId) throw otherThanListed(reference, input);
  const bases: KnownBase[] = [];
  for (const platform of platforms) {
    const remote = listed.get(platform)!;
    const id = remote.manifest.config.digest;
    bases.push(await keep(remote, platform, id, input));
  }
  return bases;
}

/** Reads the config's digest from the manifest: an engine may use another digest as the image's id. */
async function readConfigDigest({ manifestDigest }: KnownBase, { store }: PlatformBasesInput): Promise<Digest> {
  return (await readImageDocuments(store, manifestDigest)).manifest.config.digest;
}

/** Copies the image to the store, under the name of the base whose id on an engine would be `id`. */
function keep(remote: RemoteImage, platform: string, id: Digest, input: PlatformBasesInput): Promise<KnownBase> {
  const { name } = remote.repository;
  const title = `copying the base ${name} for ${platform} to the release store`;
  const check = (image: Image) => {
    const isWanted = [image.id, image.manifestDigest].includes(id);
    if (!isWanted || nameOfPlatform(image.config) !== platform)
      throw notLocked(platform, `${name}:${idTag(id)} is ${image.id} for ${nameOfPlatform(image.config)}`);
  };
  return keepBase(remote, { id, title, check }, input);
}

function leftOut(own: string, { platforms = [], reference }: ImagePlan, { engine }: PlatformBasesInput): GbuildError {
  return new GbuildError(
    'release-refused',
    `image.platforms of ${reference} is ${platforms.join(', ')}, without ${own}, the platform of ${engine.endpoint.url} that builds it`,
    {
      suggestions: [`write ${own} under image.platforms too`, 'or build on an engine of one of them: --context NAME'],
      facts: { platforms, own },
    },
  );
}

function notLocked(platform: string, why: string): GbuildError {
  return new GbuildError('release-refused', `there is no base for ${platform}: ${why}`, {
    suggestions: [
      `gbuild lock && gbuild toolchain push   # on a machine whose engine is ${platform}; then commit gbuild.lock`,
      'or name a base that has every platform: image.base: registry.example.com/node:22@sha256:...',
    ],
    facts: { platform },
  });
}

function notListed(reference: string, missing: string[], set: RemoteSet | undefined): GbuildError {
  const only = set?.images.map(({ config }) => nameOfPlatform(config)) ?? [];
  const there = set !== undefined && isIndex(set.descriptor) ? set.platforms : only;
  const has = there.length === 0 ? 'the registry does not have it' : `it has ${there.toSorted().join(', ')}`;
  return new GbuildError('release-refused', `the base ${reference} has no image for ${missing.join(', ')}; ${has}`, {
    suggestions: ['name a base under image.base that has every platform', 'or leave the platform out: image.platforms'],
    facts: { reference, missing, platforms: there },
  });
}

function otherThanListed(reference: string, { engine }: PlatformBasesInput): GbuildError {
  const shown = formatReference(parseReference(reference));
  return new GbuildError(
    'release-refused',
    `the base ${shown} on ${engine.endpoint.url} is not the one that its registry has beside the other platforms'`,
    {
      suggestions: [`docker pull ${shown}`, 'name it by the digest of its index: image.base: NAME@sha256:...'],
      facts: { reference },
    },
  );
}
