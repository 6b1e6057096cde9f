import { GbuildError } from '../errors.ts';
import { ensureRoot, ensureRuntimeRoot, findRoot, type SuiteRequest } from './base.ts';
import { buildTarget } from './build.ts';
import type { ContextFile } from './build-context.ts';
import { withBuilderLock } from './builder-lock.ts';
import { fetchParts } from './fetch-parts.ts';
import { normaliseImage } from './normalise.ts';
import type { CatalogSource, ResolvedToolchain } from './resolve.ts';
import { type EnsuredImage, findImage, type Rim, together } from './rim.ts';
import { withWorkDir } from './work-dir.ts';

export type { EnsuredImage, Rim } from './rim.ts';

/** A toolchain's images on the engine. */
export interface EnsuredToolchain {
  build: EnsuredImage;
  /** Undefined where only the build image was asked for; equal to `build` where the toolchain has no other. */
  runtime?: EnsuredImage;
  /** Image ids as gbuild.lock keeps them for a platform. */
  locked: { build: string; runtime?: string; base?: string };
}

/**
 * Sees to it that a toolchain's images are on the engine, and builds or pulls what is missing. Never builds what is there,
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
    ...(base === undefined ? {} : { base: base.id }),
  };
  return { build, ...(runtime === undefined ? {} : { runtime }), locked };
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
    source.kind === 'catalog' ? buildRuntime(rim, resolved, source, runtime) : buildFolder(rim, resolved, runtime),
  );
}

function ensureBuild(rim: Rim, resolved: ResolvedToolchain): Promise<EnsuredImage> {
  const { source, build } = resolved;
  return once(rim, build, async () => {
    if (source.kind === 'image') return pullReference(rim, build);
    return source.kind === 'folder' ? buildFolder(rim, resolved, build) : buildBuild(rim, resolved, source);
  });
}

/** What is on the engine is taken; else the work is done by one process at a time. */
async function once(rim: Rim, reference: string, work: () => Promise<EnsuredImage>): Promise<EnsuredImage> {
  const known = await findImage(rim, reference);
  if (known !== undefined) return known;
  return withBuilderLock(rim, reference, async () => (await findImage(rim, reference)) ?? (await work()));
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

async function buildBuild(rim: Rim, resolved: ResolvedToolchain, source: CatalogSource): Promise<EnsuredImage> {
  const [parts, root] = await together(
    rim.stop,
    (stop) => fetchParts({ ...rim, stop }, source.parts, source.entry.pins()),
    (stop) => ensureRoot({ ...rim, stop }, suiteOf(source)),
  );
  const id = await buildTarget(rim, {
    ...catalogBuild(resolved, source, parts),
    title: `${resolved.name} ${resolved.version}`,
    target: 'build',
    tag: resolved.build,
    args: { ...source.args, GBUILD_ROOT: root.reference, GBUILD_RUNTIME: root.reference },
  });
  return { reference: resolved.build, id };
}

async function buildRuntime(
  rim: Rim,
  resolved: ResolvedToolchain,
  source: CatalogSource,
  tag: string,
): Promise<EnsuredImage> {
  const suite = suiteOf(source);
  const [parts, base] = await together(
    rim.stop,
    (stop) => fetchParts({ ...rim, stop }, source.parts, source.entry.pins()),
    (stop) => ensureRuntimeRoot({ ...rim, stop }, suite),
  );
  const root = await ensureRoot(rim, suite);
  const staging = rim.engine.stagingReference(`${resolved.name}-${resolved.version}`);
  try {
    await buildTarget(rim, {
      ...catalogBuild(resolved, source, parts),
      title: `${resolved.name} ${resolved.version}, runtime`,
      target: 'runtime',
      tag: staging,
      args: { ...source.args, GBUILD_ROOT: root.reference, GBUILD_RUNTIME: base.reference },
      // The id of what is shipped on depends on what is in it, not on the words of its recipe.
      labels: { 'io.gbuild.toolchain': `${resolved.name}@${resolved.version}` },
    });
    const baseLayers = (await rim.engine.inspectImage(base.reference))?.diffIds.length ?? 0;
    return await withWorkDir(rim, (hostDir) =>
      normaliseImage(rim, {
        from: staging,
        tag,
        volatile: [...source.base.data.volatile, ...source.entry.data.volatile],
        keystores: source.entry.data.keystores,
        baseLayers,
        createdBy: `gbuild ${resolved.name} ${resolved.version}`,
        hostDir,
      }),
    );
  } finally {
    await rim.engine.removeImage(staging);
  }
}

async function buildFolder(rim: Rim, resolved: ResolvedToolchain, tag: string): Promise<EnsuredImage> {
  if (resolved.source.kind !== 'folder') throw new GbuildError('bug', `${resolved.request} is no folder`);
  const { folder } = resolved.source;
  const isRuntime = tag === resolved.runtime;
  const id = await buildTarget(rim, {
    title: `${folder.path}${isRuntime ? ', runtime' : ''}`,
    files: folder.files,
    helpers: [],
    suite: 'bookworm',
    target: isRuntime ? folder.runtimeTarget : folder.buildTarget,
    tag,
    args: {},
    labels: toolchainLabels(resolved),
  });
  return { reference: tag, id };
}

function catalogBuild(resolved: ResolvedToolchain, { entry, base, suite }: CatalogSource, parts: ContextFile[]) {
  return {
    files: entry.files(),
    helpers: base.files(),
    suite,
    parts,
    pins: entry.pins(),
    hostFiles: entry.data.hostFiles,
    labels: toolchainLabels(resolved),
  };
}

function toolchainLabels({ name, version, recipe }: ResolvedToolchain): Record<string, string> {
  return { 'io.gbuild.toolchain': `${name}@${version}`, 'io.gbuild.recipe': recipe };
}

function suiteOf({ entry, base, suite, runtimePackages }: CatalogSource): SuiteRequest {
  return { base, suite, packages: runtimePackages, keystores: entry.data.keystores };
}
