import { checkStart } from '../image/check-start.ts';
import { together } from '../image/find-images.ts';
import type { EnsuredImage, ToolchainContext } from '../image/toolchain-context.ts';
import type { CatalogSource, ResolvedToolchain } from '../resolve/resolved.ts';
import { ensureRoot, ensureRuntimeRoot, type SuiteRequest } from './base.ts';
import { buildTarget, type TargetBuild } from './build.ts';
import type { ContextFile } from './build-context.ts';
import { fetchParts } from './fetch-parts.ts';
import { normaliseImage } from './normalise.ts';
import { withWorkDir } from './work-dir.ts';

/** Makes the build image of a catalog's toolchain. */
export async function buildBuild(
  context: ToolchainContext,
  resolved: ResolvedToolchain,
  source: CatalogSource,
): Promise<EnsuredImage> {
  const [parts, root] = await together(
    context.stop,
    (stop) => fetchParts({ ...context, stop }, source.parts, source.entry.pins()),
    (stop) => ensureRoot({ ...context, stop }, suiteOf(source)),
  );
  return buildNormalised(context, resolved, source, {
    tag: resolved.build,
    base: root,
    build: {
      ...catalogBuild(source, parts),
      title: `${resolved.name} ${resolved.version}`,
      target: 'build',
      args: { ...source.args, GBUILD_ROOT: root.reference, GBUILD_RUNTIME: root.reference },
    },
  });
}

interface NormalisedBuild {
  tag: string;
  /** Image below, whose layers stay unchanged. */
  base: EnsuredImage;
  build: Omit<TargetBuild, 'tag' | 'labels'>;
  /** Command that must succeed in the image before the image gets its tag. */
  starts?: string[];
}

/** Builds under a staging name; only the normalised image gets the toolchain's name. */
async function buildNormalised(
  context: ToolchainContext,
  { name, version }: ResolvedToolchain,
  source: CatalogSource,
  { tag, base, build, starts = [] }: NormalisedBuild,
): Promise<EnsuredImage> {
  const staging = context.engine.stagingReference(`${name}-${version}-${build.target}`);
  try {
    // The id depends on the content of the image, not on the text of its recipe.
    await buildTarget(context, { ...build, tag: staging, labels: { 'io.gbuild.toolchain': `${name}@${version}` } });
    if (starts.length > 0) await checkStart(context, staging, { title: build.title, command: starts });
    const baseLayers = (await context.engine.inspectImage(base.reference))?.diffIds.length ?? 0;
    return await withWorkDir(context, (hostDir) =>
      normaliseImage(context, {
        from: staging,
        tag,
        volatile: [...source.base.data.volatile, ...source.entry.data.volatile],
        keystores: source.entry.data.keystores,
        baseLayers,
        createdBy: `gbuild ${name} ${version}`,
        hostDir,
      }),
    );
  } finally {
    await context.engine.removeImage(staging);
  }
}

/** Makes the runtime image. */
export async function buildRuntime(
  context: ToolchainContext,
  resolved: ResolvedToolchain,
  source: CatalogSource,
  tag: string,
): Promise<EnsuredImage> {
  const suite = suiteOf(source);
  const [parts, base] = await together(
    context.stop,
    (stop) => fetchParts({ ...context, stop }, source.parts, source.entry.pins()),
    (stop) => ensureRuntimeRoot({ ...context, stop }, suite),
  );
  const root = await ensureRoot(context, suite);
  return buildNormalised(context, resolved, source, {
    tag,
    base,
    // The base for a runtime that is added later has no program yet.
    starts: source.runtimeTarget === 'runtime' ? source.entry.data.starts : [],
    build: {
      ...catalogBuild(source, parts),
      title: `${resolved.name} ${resolved.version}, runtime`,
      target: source.runtimeTarget,
      args: { ...source.args, GBUILD_ROOT: root.reference, GBUILD_RUNTIME: base.reference },
    },
  });
}

function catalogBuild({ entry, base, suite }: CatalogSource, parts: ContextFile[]) {
  return {
    files: entry.files(),
    helpers: base.files(),
    suite,
    parts,
    pins: entry.pins(),
    hostFiles: entry.data.hostFiles,
    isCallers: !entry.isBuiltIn,
  };
}

/** Returns the base of both images, with the packages of the runtime. */
export function suiteOf({ entry, base, suite, runtimePackages }: CatalogSource): SuiteRequest {
  return { base, suite, packages: runtimePackages, keystores: entry.data.keystores };
}
