import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readBounded } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import { type Progress, silentProgress } from '../../reporter/progress.ts';
import type { Lock } from '../../spec/lock/lock-types.ts';
import { bareTask } from '../../spec/schema/bare-task.ts';
import type { Spec, TaskSpec } from '../../spec/types.ts';
import type { Assumption } from '../../spec/write/draft.ts';
import { absent, MistakesError } from '../../spec/yaml/mistakes.ts';
import type { Catalog } from '../../toolchain/catalog/catalog.ts';
import { readToolchainFolder } from '../../toolchain/catalog/folder.ts';
import { askRepository } from '../../toolchain/detect/asked-version.ts';
import { readDefaults } from '../../toolchain/detect/defaults.ts';
import { ruleHolds } from '../../toolchain/detect/facts.ts';
import { type ResolvedToolchain, resolveToolchain } from '../../toolchain/resolve/resolve.ts';
import { findRoot, type Root } from '../../workspace/root.ts';
import { openCatalog } from './catalogs.ts';
import type { AppContext, WorkspaceSession } from './context.ts';
import { nothingDetected } from './nothing-detected.ts';
import { openParseCache, type ParseCache } from './parse-cache.ts';
import { findRememberedIn } from './remembered-lock.ts';

/** Finds the repository around the caller, reads its spec and lock, and resolves its toolchain. */
export async function openWorkspace(context: AppContext, { ignoreLock = false } = {}): Promise<WorkspaceSession> {
  const { rootDir, specFile, cache, catalog, spec, assumptions } = await readWorkspace(context, ignoreLock);
  const { progress } = context;
  const rememberedIn = findRememberedIn(context.host, rootDir, specFile);
  const known = ignoreLock ? undefined : await readKnownLock(rootDir, rememberedIn, cache);
  const { request, chosen, notes } = askRepository(rootDir, spec.toolchain, catalog);
  for (const note of notes) progress.warn(note);
  const folder = request.kind === 'folder' ? readToolchainFolder(rootDir, request.path) : undefined;
  const resolve = (locked: Lock | undefined) =>
    resolveToolchain(request, catalog, { lock: locked?.toolchain, folder, jre: spec.image.jre });
  const obeyed = resolve(known);
  // This machine's recorded lock no longer counts once the repository asks for something else.
  const lock = rememberedIn !== undefined && obeyed.lockState !== 'fits' ? undefined : known;
  const resolved = lock === known ? obeyed : resolve(lock);
  warnOfRefusedFiles(resolved, context.host, progress);
  const toolchain = {
    ...resolved,
    caches: resolved.caches.filter((cache) => ruleHolds(rootDir, cache, chosen)),
  };
  return {
    rootDir,
    spec,
    assumptions,
    toolchain,
    defaults: readDefaults(rootDir, toolchain, chosen),
    ...(specFile !== undefined && { specFile }),
    ...(lock !== undefined && { lock }),
    ...(rememberedIn !== undefined && { rememberedIn }),
  };
}

/** Warns of the caller's settings that a toolchain does not get, because the repository itself names its catalog. */
function warnOfRefusedFiles({ name, source }: ResolvedToolchain, { homeDir }: Host, progress: Progress): void {
  const asked = source.kind === 'catalog' ? source.entry.refusedHostFiles : [];
  const there = asked.filter((path) => existsSync(join(homeDir, path)));
  if (there.length === 0) return;
  const files = there.map((path) => `~/${path}`).join(', ');
  progress.warn(
    `${name} does not get ${files}: this repository names its catalog; name it under "catalogs" of your own config.yml to allow it`,
  );
}

/** Reads the spec of the repository around the caller, for commands without a toolchain. */
export async function readCallersSpec(context: AppContext): Promise<Spec> {
  return (await readWorkspace(context, false)).spec;
}

/** Finds the folder of the caller's project, for commands without a spec. */
export async function locateProject(context: AppContext): Promise<string> {
  const root = findRoot(context.host.cwd, context.host.homeDir);
  return (await chooseRoot(root, await openCatalog(context, root), context.progress)).rootDir;
}

async function readWorkspace(context: AppContext, fresh: boolean) {
  const { host, progress } = context;
  const cache = openParseCache(context);
  const root = findRoot(host.cwd, host.homeDir);
  const catalog = await openCatalog(context, root, { fresh });
  const { rootDir, specFile } = await chooseRoot(root, catalog, progress);
  const { spec, warnings, assumptions } =
    specFile === undefined
      ? await detectSpec(rootDir, catalog, progress)
      : await readKnownSpec(specFile, cache, knownTasks(catalog)).catch((thrown: unknown) =>
          throwWithName(thrown, () => detectSpec(rootDir, catalog, silentProgress)),
        );
  for (const warning of warnings) progress.warn(warning);
  for (const { key, because } of assumptions) progress.note(`assuming ${key}: ${because}`);
  if (assumptions.length > 0) progress.note('no gbuild.yml here; "gbuild init" writes these assumptions down');
  return { rootDir, specFile, cache, catalog, spec, assumptions };
}

/** Adds the name that the repository's files suggest to the error of a spec without a name. */
async function throwWithName(thrown: unknown, detect: () => Promise<KnownSpec>): Promise<never> {
  if (!(thrown instanceof MistakesError)) throw thrown;
  const { code, mistakes, suggestions } = thrown;
  if (!mistakes.some(({ key, found }) => key === 'name' && found === absent)) throw thrown;
  const found = await detect().catch(() => undefined);
  if (found === undefined) throw thrown;
  const because = found.assumptions.find(({ key }) => key === 'name')?.because;
  const suggestion = `write "name: ${found.spec.name}" in gbuild.yml${because === undefined ? '' : `   # ${because}`}`;
  throw new MistakesError(code, mistakes, [suggestion, ...suggestions], thrown);
}

interface KnownSpec {
  spec: Spec;
  warnings: string[];
  assumptions: Assumption[];
}

function readKnownSpec(specFile: string, cache: ParseCache, knownTasks: string[]): Promise<KnownSpec> {
  return cache.get(`spec ${knownTasks.join(' ')}`, readBytes(specFile), async () => {
    const { readSpec } = await import('../../spec/read/read-spec.ts');
    const { spec, warnings } = readSpec(specFile, undefined, knownTasks);
    return { spec, warnings, assumptions: [] };
  });
}

async function readKnownLock(
  rootDir: string,
  rememberedIn: string | undefined,
  cache: ParseCache,
): Promise<Lock | undefined> {
  const dir = rememberedIn ?? rootDir;
  const read = async () => {
    const { readLock } = await import('../../spec/lock/lock.ts');
    return readLock(dir) ?? null;
  };
  const parsed = cache.get('lock', readBytes(join(dir, 'gbuild.lock')), read);
  // A damaged record counts as none: the choice is made again.
  return (await (rememberedIn === undefined ? parsed : parsed.catch(() => null))) ?? undefined;
}

/** Lists the names of tasks that toolchains provide: a spec's task may need one of them. */
export function knownTasks(catalog: Catalog): string[] {
  return [...new Set(catalog.names.flatMap((name) => Object.keys(catalog.find(name)?.data.tasks ?? {})))];
}

/** Reads the bytes where possible; the parser reports why it cannot read them. */
function readBytes(file: string): Buffer | undefined {
  try {
    return readBounded(file);
  } catch {
    return undefined;
  }
}

async function detectSpec(rootDir: string, catalog: Catalog, progress: Progress): Promise<KnownSpec> {
  const { chooseToolchain } = await import('../../toolchain/detect/detect.ts');
  const detection = await chooseToolchain(rootDir, catalog, progress);
  if (detection === undefined) {
    throw nothingDetected([rootDir], catalog, 'test');
  }
  const [{ parseSpec }, { writeInitialSpec }] = await Promise.all([
    import('../../spec/read/read-spec.ts'),
    import('../../spec/write/init.ts'),
  ]);
  const { spec } = parseSpec(writeInitialSpec(detection), 'the detected spec');
  const warnings =
    detection.others.length > 0
      ? [
          `this could also be ${detection.others.join(' or ')}: what is built by ${detection.toolchain.split('@')[0]} is taken first; "gbuild init --toolchain NAME" writes which one is meant`,
        ]
      : [];
  return { spec, warnings, assumptions: detection.assumptions };
}

/** Returns the toolchain's default tasks in the spec's form. */
export function defaultTasks({ defaults }: WorkspaceSession): Record<string, TaskSpec> {
  return Object.fromEntries(
    Object.entries(defaults.tasks).map(([name, { run, needs, env, reports }]) => [
      name,
      { ...bareTask, run, needs, env, reports },
    ]),
  );
}

/**
 * Chooses the project where no gbuild.yml decides: the caller's folder, one above it in the repository, or one below
 * it, which a person confirms.
 *
 * @throws GbuildError `spec-missing`, with the folders that look like projects, where no person can be asked
 */
async function chooseRoot(
  root: Root,
  catalog: Catalog,
  progress: Progress,
): Promise<Pick<Root, 'rootDir' | 'specFile'>> {
  const { folders } = root;
  if (folders === undefined) return root;
  const { findProject, listProjectsBelow } = await import('../../toolchain/detect/find-project.ts');
  const rootDir = findProject(folders, catalog);
  if (rootDir !== undefined) return { rootDir };
  const [cwd = root.rootDir] = folders;
  const below = listProjectsBelow(cwd, catalog);
  const question = 'No file here says how to build. Which folder is the project?';
  const chosen = below.length === 0 ? undefined : await progress.choose?.(question, below);
  if (chosen === undefined) throw nothingDetected(folders, catalog, 'test');
  progress.note(`the project is in ${chosen}`);
  const found = findRoot(join(cwd, chosen));
  return {
    rootDir: found.folders?.[0] ?? found.rootDir,
    ...(found.specFile !== undefined && { specFile: found.specFile }),
  };
}
