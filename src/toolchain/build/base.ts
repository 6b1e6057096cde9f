import { messageOf } from '../../errors.ts';
import type { BaseEntry } from '../catalog/catalog.ts';
import { type EnsuredImage, findImage, findUsable, type Rim, renew } from '../image/find-images.ts';
import { recipeDigest, shortRecipe } from '../resolve/recipe.ts';
import { bootstrapRoot } from './bootstrap.ts';
import { buildTarget } from './build.ts';
import { withBuilderLock } from './builder-lock.ts';
import { normaliseImage } from './normalise.ts';
import { withWorkDir } from './work-dir.ts';

export interface SuiteRequest {
  base: BaseEntry;
  suite: string;
  /** Debian packages on top of those that every runtime root has. */
  packages: string[];
  /** Java keystores that the packages bring. */
  keystores: string[];
}

/** The names that gbuild gives the roots of a suite: the plain one where none can be pulled, and the lean one to ship on. */
export function rootReferences(request: SuiteRequest): string[] {
  return [rootReference(request), runtimeReference(request)];
}

function rootReference({ base, suite }: SuiteRequest): string {
  return `gbuild/base:${suite}-${shortRecipe(recipeDigest([], { root: suite, volatile: base.data.volatile }))}`;
}

/** The plain root of a suite: the one made earlier, the pulled one, one pulled now, or one made of packages now. */
export async function ensureRoot(rim: Rim, request: SuiteRequest): Promise<EnsuredImage> {
  const known = await findUsableRoot(rim, request);
  if (known !== undefined) return known;
  const reference = rootReference(request);
  return withBuilderLock(
    rim,
    reference,
    async () => (await findUsableRoot(rim, request)) ?? (await renew(rim, reference, () => getRoot(rim, request))),
  );
}

function findUsableRoot(rim: Rim, request: SuiteRequest): Promise<EnsuredImage | undefined> {
  const mustRenew = rim.renewed !== undefined && !rim.renewed.has(rootReference(request));
  return mustRenew ? Promise.resolve(undefined) : findRoot(rim, request);
}

/** The root if it is on the engine already. */
export async function findRoot(rim: Rim, request: SuiteRequest): Promise<EnsuredImage | undefined> {
  return (await findImage(rim, rootReference(request))) ?? (await findImage(rim, pulledReference(request)));
}

async function getRoot(rim: Rim, request: SuiteRequest): Promise<EnsuredImage> {
  const { suite, base } = request;
  const reference = pulledReference(request);
  return rim.progress.step(`base image: Debian ${suite}`, async (step) => {
    step.update(`pulling ${reference}`);
    let pullFailure: unknown;
    try {
      await rim.engine.pullImage(reference, { stop: rim.stop, onProgress: ({ status }) => step.update(status) });
      const pulled = await findImage(rim, reference);
      if (pulled !== undefined) return pulled;
    } catch (thrown) {
      rim.stop.ask.throwIfAborted();
      pullFailure = thrown;
    }
    step.log(`${reference} cannot be pulled (${messageOf(pullFailure)}): making it of Debian's packages`);
    return withWorkDir(rim, (hostDir) =>
      bootstrapRoot(rim, step, {
        suite,
        tag: rootReference(request),
        volatile: base.data.volatile,
        hostDir,
        pullFailure,
      }),
    );
  });
}

/** The lean root that released images stand on, normalised. */
export async function ensureRuntimeRoot(rim: Rim, request: SuiteRequest): Promise<EnsuredImage> {
  const reference = runtimeReference(request);
  const known = await findUsable(rim, reference);
  if (known !== undefined) return known;
  const root = await ensureRoot(rim, request);
  const title = `runtime base: Debian ${request.suite}`;
  return withBuilderLock(rim, reference, async () => {
    const made = await findUsable(rim, reference);
    return made ?? renew(rim, reference, () => rim.progress.step(title, () => buildRuntimeRoot(rim, request, root)));
  });
}

async function buildRuntimeRoot(rim: Rim, request: SuiteRequest, root: EnsuredImage): Promise<EnsuredImage> {
  const { base, suite, packages, keystores } = request;
  const staging = rim.engine.stagingReference(`base-${suite}`);
  try {
    await buildTarget(rim, {
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
    return await withWorkDir(rim, (hostDir) =>
      normaliseImage(rim, {
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
    await rim.engine.removeImage(staging);
  }
}

function runtimeReference({ base, suite, packages }: SuiteRequest): string {
  const facts = { suite, volatile: base.data.volatile, packages: [...packages].sort() };
  return `gbuild/base:${suite}-${shortRecipe(recipeDigest(base.files(), facts))}-runtime`;
}

function pulledReference({ base, suite }: SuiteRequest): string {
  return base.data.suites[suite]?.reference ?? `debian:${suite}-slim`;
}
