import { GbuildError } from '../../errors.ts';
import { findImage, findUsable, renew, together } from '../image/find-images.ts';
import { readImageId } from '../image/image-id.ts';
import type { EnsuredImage, ToolchainContext } from '../image/toolchain-context.ts';
import type { ResolvedToolchain } from '../resolve/resolve.ts';
import { findRootImage } from './base.ts';
import { buildTarget } from './build.ts';
import { buildBuild, buildRuntime, suiteOf } from './build-entry.ts';
import { withBuilderLock } from './builder-lock.ts';
import { explainMissingPackages } from './missing-packages.ts';

export type { EnsuredImage, ToolchainContext } from '../image/toolchain-context.ts';

/** Images of a toolchain on the engine. */
export interface EnsuredToolchain {
  build: EnsuredImage;
  /** Undefined where only the build image was requested; equal to `build` where the toolchain has one image. */
  runtime?: EnsuredImage;
  /** Image ids and their origin, as gbuild.lock holds them for a platform. */
  locked: { build: string; runtime?: string; base?: string; source?: string };
}

/**
 * Ensures that a toolchain's images are on the engine; fetches, builds or pulls missing ones. It never builds an
 * existing image, nor the same one twice at a time on one machine. Whatever interrupts it, no incomplete image has a
 * toolchain's name.
 *
 * @throws GbuildError `toolchain-failed`, `network-failed`, `engine-*` or the stop's reason
 */
export async function ensureToolchain(
  resolved: ResolvedToolchain,
  options: ToolchainContext & { role: 'build' | 'both' },
): Promise<EnsuredToolchain> {
  const { role, ...context } = options;
  const [build, runtime] =
    role === 'build' ? [await ensureBuild(context, resolved), undefined] : await ensureBoth(context, resolved);
  const base = resolved.source.kind === 'catalog' ? await findRootImage(context, suiteOf(resolved.source)) : undefined;
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

/**
 * Ensures both images in parallel. A toolchain with one image makes it once, because two makers would wait for each
 * other.
 */
async function ensureBoth(
  context: ToolchainContext,
  resolved: ResolvedToolchain,
): Promise<[EnsuredImage, EnsuredImage]> {
  if (resolved.runtime === undefined) {
    const build = await ensureBuild(context, resolved);
    return [build, build];
  }
  return together(
    context.stop,
    (stop) => ensureBuild({ ...context, stop }, resolved),
    (stop) => ensureRuntime(resolved, { ...context, stop }),
  );
}

/** Ensures the runtime image alone, for packing existing outputs. */
export async function ensureRuntime(resolved: ResolvedToolchain, context: ToolchainContext): Promise<EnsuredImage> {
  const { runtime, source } = resolved;
  if (runtime === undefined) return ensureBuild(context, resolved);
  return once(context, runtime, () =>
    source.kind === 'catalog'
      ? buildOfCatalog(resolved, () => buildRuntime(context, resolved, source, runtime))
      : buildFolder(context, resolved, runtime),
  );
}

function ensureBuild(context: ToolchainContext, resolved: ResolvedToolchain): Promise<EnsuredImage> {
  const { source, build } = resolved;
  return once(context, build, async () => {
    if (source.kind === 'image') return pullReference(context, build);
    return source.kind === 'folder'
      ? buildFolder(context, resolved, build)
      : buildOfCatalog(resolved, () => buildBuild(context, resolved, source));
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
 * Returns the image on the engine; else fetches the locked one or does the work. Only one process works at a time, and
 * removes incomplete images of dead ones first.
 */
async function once(
  context: ToolchainContext,
  reference: string,
  work: () => Promise<EnsuredImage>,
): Promise<EnsuredImage> {
  const known = await findUsable(context, reference);
  if (known !== undefined) return known;
  return withBuilderLock(context, reference, async () => {
    const made = await findUsable(context, reference);
    if (made !== undefined) return made;
    await context.engine.sweep();
    return renew(context, reference, async () => (await fetchLocked(context, reference)) ?? work());
  });
}

async function fetchLocked(
  { fetchLocked: fetch, stop }: ToolchainContext,
  reference: string,
): Promise<EnsuredImage | undefined> {
  return fetch?.(reference, stop);
}

/** Replaces an image by the locked one, where a registry has it; otherwise the present one stays. */
export function exchangeForLocked(context: ToolchainContext, known: EnsuredImage): Promise<EnsuredImage> {
  const { reference } = known;
  return withBuilderLock(context, reference, () =>
    renew(context, reference, async () => (await fetchLocked(context, reference)) ?? known),
  );
}

function pullReference(context: ToolchainContext, reference: string): Promise<EnsuredImage> {
  return context.progress.step(`pulling ${reference}`, async (step) => {
    const onProgress = ({ layer, status }: { layer: string; status: string }) =>
      step.update(`${layer} ${status}`.trim());
    await context.engine.pullImage(reference, { stop: context.stop, onProgress });
    const pulled = await findImage(context, reference);
    if (pulled !== undefined) return pulled;
    throw new GbuildError('image-missing', `${reference} was pulled, but the engine does not have it`);
  });
}

async function buildFolder(context: ToolchainContext, resolved: ResolvedToolchain, tag: string): Promise<EnsuredImage> {
  if (resolved.source.kind !== 'folder') throw new GbuildError('bug', `${resolved.request} is no folder`);
  const { folder } = resolved.source;
  const isRuntime = tag === resolved.runtime;
  const engineId = await buildTarget(context, {
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
  return { reference: tag, id: await readImageId(context, { id: engineId }) };
}

function toolchainLabels({ name, version, recipe }: ResolvedToolchain): Record<string, string> {
  return { 'io.gbuild.toolchain': `${name}@${version}`, 'io.gbuild.recipe': recipe };
}
