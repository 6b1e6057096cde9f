import { GbuildError } from '../../errors.ts';
import { type EnsuredImage, findImage, findUsable, type Rim, renew, together } from '../image/find-images.ts';
import { readImageId } from '../image/image-id.ts';
import type { ResolvedToolchain } from '../resolve/resolve.ts';
import { findRoot } from './base.ts';
import { buildTarget } from './build.ts';
import { buildBuild, buildRuntime, suiteOf } from './build-entry.ts';
import { withBuilderLock } from './builder-lock.ts';
import { explainMissingPackages } from './missing-packages.ts';

export type { EnsuredImage, Rim } from '../image/find-images.ts';

/** A toolchain's images on the engine. */
export interface EnsuredToolchain {
  build: EnsuredImage;
  /** Undefined where only the build image was asked for; equal to `build` where the toolchain has no other. */
  runtime?: EnsuredImage;
  /** Image ids, and where they come from, as gbuild.lock keeps them for a platform. */
  locked: { build: string; runtime?: string; base?: string; source?: string };
}

/**
 * Sees to it that a toolchain's images are on the engine, and fetches, builds or pulls what is missing. Never builds what is there,
 * nor twice at once on one machine; whatever interrupts it, no half-made image bears a toolchain's name.
 *
 * @throws GbuildError `toolchain-failed`, `network-failed`, `engine-*` or the stop's reason
 */
export async function ensureToolchain(
  resolved: ResolvedToolchain,
  options: Rim & { role: 'build' | 'both' },
): Promise<EnsuredToolchain> {
  const { role, ...rim } = options;
  const [build, runtime] =
    role === 'build' ? [await ensureBuild(rim, resolved), undefined] : await ensureBoth(rim, resolved);
  const base = resolved.source.kind === 'catalog' ? await findRoot(rim, suiteOf(resolved.source)) : undefined;
  const locked = {
    build: build.id,
    ...(runtime === undefined ? {} : { runtime: runtime.id }),
    ...(base === undefined ? {} : { base: base.id, source: sourceOf(base) }),
  };
  return { build, ...(runtime === undefined ? {} : { runtime }), locked };
}

function sourceOf({ reference }: EnsuredImage): string {
  return reference.startsWith('gbuild/base:') ? 'packages' : reference;
}

/** Both at once; a toolchain of one image makes it once, else its two makers would wait for each other. */
async function ensureBoth(rim: Rim, resolved: ResolvedToolchain): Promise<[EnsuredImage, EnsuredImage]> {
  if (resolved.runtime === undefined) {
    const build = await ensureBuild(rim, resolved);
    return [build, build];
  }
  return together(
    rim.stop,
    (stop) => ensureBuild({ ...rim, stop }, resolved),
    (stop) => ensureRuntime(resolved, { ...rim, stop }),
  );
}

/** The image to ship on alone: for packing outputs that are there already. */
export async function ensureRuntime(resolved: ResolvedToolchain, rim: Rim): Promise<EnsuredImage> {
  const { runtime, source } = resolved;
  if (runtime === undefined) return ensureBuild(rim, resolved);
  return once(rim, runtime, () =>
    source.kind === 'catalog'
      ? buildOfCatalog(resolved, () => buildRuntime(rim, resolved, source, runtime))
      : buildFolder(rim, resolved, runtime),
  );
}

function ensureBuild(rim: Rim, resolved: ResolvedToolchain): Promise<EnsuredImage> {
  const { source, build } = resolved;
  return once(rim, build, async () => {
    if (source.kind === 'image') return pullReference(rim, build);
    return source.kind === 'folder'
      ? buildFolder(rim, resolved, build)
      : buildOfCatalog(resolved, () => buildBuild(rim, resolved, source));
  });
}

async function buildOfCatalog(resolved: ResolvedToolchain, work: () => Promise<EnsuredImage>): Promise<EnsuredImage> {
  try {
    return await work();
  } catch (thrown) {
    throw explainMissingPackages(thrown, resolved);
  }
}

/**
 * What is on the engine is taken; else the locked one is fetched or the work is done, by one process at a time, what dead ones
 * left half-made removed first.
 */
async function once(rim: Rim, reference: string, work: () => Promise<EnsuredImage>): Promise<EnsuredImage> {
  const known = await findUsable(rim, reference);
  if (known !== undefined) return known;
  return withBuilderLock(rim, reference, async () => {
    const made = await findUsable(rim, reference);
    if (made !== undefined) return made;
    await rim.engine.sweep();
    return renew(rim, reference, async () => (await fetchLocked(rim, reference)) ?? work());
  });
}

async function fetchLocked({ fetchLocked: fetch, stop }: Rim, reference: string): Promise<EnsuredImage | undefined> {
  return fetch?.(reference, stop);
}

/** Puts the image that the lock names in the place of another one, where somebody has it; else what is there stays. */
export function exchangeForLocked(rim: Rim, known: EnsuredImage): Promise<EnsuredImage> {
  const { reference } = known;
  return withBuilderLock(rim, reference, () =>
    renew(rim, reference, async () => (await fetchLocked(rim, reference)) ?? known),
  );
}

function pullReference(rim: Rim, reference: string): Promise<EnsuredImage> {
  return rim.progress.step(`pulling ${reference}`, async (step) => {
    const onProgress = ({ layer, status }: { layer: string; status: string }) =>
      step.update(`${layer} ${status}`.trim());
    await rim.engine.pullImage(reference, { stop: rim.stop, onProgress });
    const pulled = await findImage(rim, reference);
    if (pulled !== undefined) return pulled;
    throw new GbuildError('image-missing', `${reference} was pulled, but the engine does not have it`);
  });
}

async function buildFolder(rim: Rim, resolved: ResolvedToolchain, tag: string): Promise<EnsuredImage> {
  if (resolved.source.kind !== 'folder') throw new GbuildError('bug', `${resolved.request} is no folder`);
  const { folder } = resolved.source;
  const isRuntime = tag === resolved.runtime;
  const engineId = await buildTarget(rim, {
    title: `${folder.path}${isRuntime ? ', runtime' : ''}`,
    files: folder.files,
    helpers: [],
    suite: 'bookworm',
    target: isRuntime ? folder.runtimeTarget : folder.buildTarget,
    tag,
    args: {},
    isCallers: true,
    labels: toolchainLabels(resolved),
  });
  return { reference: tag, id: await readImageId(rim, { id: engineId }) };
}

function toolchainLabels({ name, version, recipe }: ResolvedToolchain): Record<string, string> {
  return { 'io.gbuild.toolchain': `${name}@${version}`, 'io.gbuild.recipe': recipe };
}
