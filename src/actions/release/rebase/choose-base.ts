import { parse } from 'semver';
import { GbuildError } from '../../../errors.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import type { ImageConfig } from '../../../oci/spec.ts';
import { obtainBase } from '../../image/base/obtain-base.ts';
import { type KnownBase, readBase } from '../../image/base/read-base.ts';
import type { WorkspaceSession } from '../../session/context.ts';
import { describeRelease } from '../../store/stored-releases.ts';
import { readyRuntime } from '../../toolchain/ensure-ready.ts';
import { nameCurrentBase } from './current-base.ts';
import type { OpenedRelease } from './open-release.ts';
import type { RebaseRequest } from './rebase-request.ts';

export interface NewBase {
  reference: string;
  base: KnownBase;
}

/**
 * Chooses the new base of a release: the requested image, else the one of the repository's lock, else the engine's
 * current image of the old base's name. Throws `release-refused` for a base that does not fit the release.
 */
export async function chooseNewBase(
  request: RebaseRequest,
  session: WorkspaceSession | undefined,
  release: OpenedRelease,
  store: Layout,
): Promise<NewBase> {
  const { name, version } = request;
  const described = describeRelease(name, version, release.imageId, release.config);
  const reference = request.base ?? nameCurrentBase(described, session);
  if (reference === undefined) throw namesNoBase(release);
  const isOwn = request.base === undefined && session?.spec.name === name;
  const base = isOwn
    ? await readOwnBase(request, session, reference, store)
    : await readBase(reference, { ...request, store });
  const misfit = request.force ? undefined : findMisfit(release.config, base.config, reference);
  if (misfit !== undefined) throw doesNotFit(release, reference, misfit);
  if (base.manifestDigest === described.base?.digest) throw standsThere(release, reference);
  return { reference, base };
}

/** Reads the repository's own base. Throws where the lock names another image than the engine has. */
async function readOwnBase(
  request: RebaseRequest,
  session: WorkspaceSession,
  reference: string,
  store: Layout,
): Promise<KnownBase> {
  if (session.spec.image.base !== 'auto') return obtainBase(reference, { ...request, session, store });
  const { runtime, platform } = await readyRuntime({ ...request, session, frozen: 'always' });
  const locked = session.lock?.toolchain.platforms[platform]?.runtime;
  if (locked === runtime) return readBase(reference, { ...request, store });
  throw new GbuildError(
    'release-refused',
    `gbuild.lock names the runtime image ${locked}, but ${request.engine.endpoint.url} has ${runtime}`,
    {
      suggestions: ['gbuild lock --update', `or say which one: --base ${reference}`],
      facts: { locked, actual: runtime },
    },
  );
}

/**
 * Describes how a base differs from what the release was built for: platform, or major version of the toolchain.
 * Undefined where it fits. Pure.
 */
export function findMisfit(
  released: ImageConfig,
  base: ImageConfig,
  baseName: string,
): { was: string; is: string } | undefined {
  const [was, is] = [released, base].map(({ os, architecture }) => `${os}/${architecture}`) as [string, string];
  if (was !== is) return { was, is };
  const before = parseToolchain(released.config.Labels?.[toolchainLabel]);
  const after = parseToolchain(base.config.Labels?.[toolchainLabel] ?? toolchainIn(baseName));
  if (before === undefined || after === undefined || before === after) return undefined;
  return { was: before, is: after };
}

const toolchainLabel = 'io.gbuild.toolchain';

function doesNotFit({ reference }: OpenedRelease, base: string, { was, is }: { was: string; is: string }): GbuildError {
  return new GbuildError('release-refused', `${reference} was built for ${was}, and ${base} is for ${is}`, {
    suggestions: ['gbuild image --release 1.0.2   # builds it again', 'or add --force if you know that it runs there'],
    facts: { reference, base, was, is },
  });
}

/** Returns `node@22.23.3` for `gbuild/node:22.23.3-574e5a627e34-runtime`. */
function toolchainIn(reference: string): string | undefined {
  return /^gbuild\/([^:]+):([^-]+)-/.exec(reference)?.slice(1).join('@');
}

/** Returns `node 22` for `node@22.23.3`; undefined where there is no such version. */
function parseToolchain(text: string | undefined): string | undefined {
  const [name, version = ''] = text?.split('@') ?? [];
  const major = parse(version)?.major;
  return major === undefined ? undefined : `${name} ${major}`;
}

function standsThere({ reference }: OpenedRelease, base: string): GbuildError {
  return new GbuildError(
    'release-refused',
    `${reference} is on the current ${base} already: there is nothing to change`,
    {
      suggestions: ['gbuild lock --update   # takes the packages of today', 'or name another one: --base REFERENCE'],
      facts: { reference, base },
    },
  );
}

function namesNoBase({ reference }: OpenedRelease): GbuildError {
  return new GbuildError('usage', `${reference} does not say what its base is`, {
    suggestions: [`gbuild rebase ${reference} --release 1.0.2 --base REFERENCE`],
    facts: { reference },
  });
}
