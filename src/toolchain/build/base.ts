import { messageOf } from '../../errors.ts';
import type { BaseEntry } from '../catalog/catalog.ts';
import { findImage, findUsable, renew } from '../image/find-images.ts';
import type { EnsuredImage, ToolchainContext } from '../image/toolchain-context.ts';
import { recipeDigest, shortRecipe } from '../resolve/recipe.ts';
import { bootstrapRoot } from './bootstrap.ts';
import { buildTarget } from './build.ts';
import { withBuilderLock } from './builder-lock.ts';
import { normaliseImage } from './normalise.ts';
import { withWorkDir } from './work-dir.ts';

export interface SuiteRequest {
  base: BaseEntry;
  suite: string;
  /** Debian packages in addition to those of every runtime base. */
  packages: string[];
  /** Java keystores that the packages install. */
  keystores: string[];
}

/**
 * Returns gbuild's names for the bases of a suite: the plain one where none can be pulled, and the small one for
 * releases.
 */
export function rootReferences(request: SuiteRequest): string[] {
  return [rootReference(request), runtimeReference(request)];
}

function rootReference({ base, suite }: SuiteRequest): string {
  return `gbuild/base:${suite}-${shortRecipe(recipeDigest([], { root: suite, volatile: base.data.volatile }))}`;
}

/**
 * Ensures the plain base of a suite: one made earlier, one pulled earlier, one pulled now, or one made from packages
 * now.
 */
export async function ensureRoot(context: ToolchainContext, request: SuiteRequest): Promise<EnsuredImage> {
  const known = await findUsableRoot(context, request);
  if (known !== undefined) return known;
  const reference = rootReference(request);
  return withBuilderLock(
    context,
    reference,
    async () =>
      (await findUsableRoot(context, request)) ?? (await renew(context, reference, () => getRoot(context, request))),
  );
}

function findUsableRoot(context: ToolchainContext, request: SuiteRequest): Promise<EnsuredImage | undefined> {
  const mustRenew = context.renewed !== undefined && !context.renewed.has(rootReference(request));
  return mustRenew ? Promise.resolve(undefined) : findRootImage(context, request);
}

/** Finds the base if it is already on the engine. */
export async function findRootImage(
  context: ToolchainContext,
  request: SuiteRequest,
): Promise<EnsuredImage | undefined> {
  return (await findImage(context, rootReference(request))) ?? (await findImage(context, pulledReference(request)));
}

async function getRoot(context: ToolchainContext, request: SuiteRequest): Promise<EnsuredImage> {
  const { suite, base } = request;
  const reference = pulledReference(request);
  return context.progress.step(`base image: Debian ${suite}`, async (step) => {
    step.update(`pulling ${reference}`);
    let pullFailure: unknown;
    try {
      await context.engine.pullImage(reference, {
        stop: context.stop,
        onProgress: ({ status }) => step.update(status),
      });
      const pulled = await findImage(context, reference);
      if (pulled !== undefined) return pulled;
    } catch (thrown) {
      context.stop.ask.throwIfAborted();
      pullFailure = thrown;
    }
    step.log(`${reference} cannot be pulled (${messageOf(pullFailure)}): making it of Debian's packages`);
    return withWorkDir(context, (hostDir) =>
      bootstrapRoot(context, step, {
        suite,
        tag: rootReference(request),
        volatile: base.data.volatile,
        hostDir,
        pullFailure,
      }),
    );
  });
}

/** Ensures the small, normalised base of released images. */
export async function ensureRuntimeRoot(context: ToolchainContext, request: SuiteRequest): Promise<EnsuredImage> {
  const reference = runtimeReference(request);
  const known = await findUsable(context, reference);
  if (known !== undefined) return known;
  const root = await ensureRoot(context, request);
  const title = `runtime base: Debian ${request.suite}`;
  return withBuilderLock(context, reference, async () => {
    const made = await findUsable(context, reference);
    return (
      made ??
      renew(context, reference, () => context.progress.step(title, () => buildRuntimeRoot(context, request, root)))
    );
  });
}

async function buildRuntimeRoot(
  context: ToolchainContext,
  request: SuiteRequest,
  root: EnsuredImage,
): Promise<EnsuredImage> {
  const { base, suite, packages, keystores } = request;
  const staging = context.engine.stagingReference(`base-${suite}`);
  try {
    await buildTarget(context, {
      title: `runtime base ${suite}`,
      files: base.files(),
      helpers: base.files(),
      suite,
      target: 'runtime',
      tag: staging,
      isCallers: false,
      args: { ROOT: root.reference, PACKAGES: packages.join(' ') },
      labels: {},
    });
    return await withWorkDir(context, (hostDir) =>
      normaliseImage(context, {
        from: staging,
        tag: runtimeReference(request),
        volatile: base.data.volatile,
        keystores,
        baseLayers: 0,
        createdBy: `gbuild base ${suite}`,
        hostDir,
      }),
    );
  } finally {
    await context.engine.removeImage(staging);
  }
}

function runtimeReference({ base, suite, packages }: SuiteRequest): string {
  const facts = { suite, volatile: base.data.volatile, packages: [...packages].sort() };
  return `gbuild/base:${suite}-${shortRecipe(recipeDigest(base.files(), facts))}-runtime`;
}

function pulledReference({ base, suite }: SuiteRequest): string {
  return base.data.suites[suite]?.reference ?? `debian:${suite}-slim`;
}
