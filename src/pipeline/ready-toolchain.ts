import type { Engine } from '../engine/engine.ts';
import { GbuildError } from '../errors.ts';
import type { Host, Stop } from '../host.ts';
import type { Progress } from '../reporter/progress.ts';
import type { Lock, LockedPlatform } from '../spec/types.ts';
import type { EnsuredToolchain } from '../toolchain/ensure.ts';
import type { ResolvedToolchain } from '../toolchain/resolve.ts';
import type { WorkspaceSession } from './workspace-session.ts';

/**
 * What may happen to gbuild.lock: 'never' frozen, it follows the spec; 'if-locked' (CI), a lock that does not fit is an
 * error, a missing one is written; 'always', a missing one is an error too.
 */
export type Frozen = 'never' | 'if-locked' | 'always';

export interface ReadyInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  frozen: Frozen;
  /** 'both' also makes sure of the runtime image; so does a lock that is still to be written. */
  role?: 'build' | 'both';
  /** Make the images anew, of the packages of today. */
  renewed?: Set<string>;
}

export interface ReadyRuntime {
  /** Id on this engine. */
  runtime: string | undefined;
  platform: string;
}

export interface ReadyToolchain {
  images: EnsuredToolchain;
  lock: Lock;
  platform: string;
}

/**
 * Makes sure that the toolchain's images are on the engine and that gbuild.lock says which ones: written the first time,
 * obeyed afterwards, extended when this platform is not in it yet.
 */
export async function readyToolchain(input: ReadyInput): Promise<ReadyToolchain> {
  const { session, engine, progress } = input;
  await assertLockFits(input);
  const [{ platform }, found] = await Promise.all([engine.info(), input.renewed ? undefined : findBuild(input)]);
  const { toolchain } = session;
  const locked = toolchain.lockState === 'fits' ? session.lock?.toolchain.platforms[platform] : undefined;
  const role = locked === undefined ? 'both' : (input.role ?? 'build');
  const images = (role === 'build' ? found : undefined) ?? (await ensureImages(input, role));
  if (locked !== undefined) {
    await sayWhatMoved(input, locked, images);
    return { images, lock: session.lock!, platform };
  }
  const lock = lockOf(session, platform, { ...images.locked, ...(await readContents(input, images)) });
  try {
    const { writeLock } = await import('../spec/lock.ts');
    writeLock(session.rootDir, lock);
    progress.note(`${toolchain.request} is ${toolchain.name} ${toolchain.version}: written to gbuild.lock; commit it`);
  } catch (error) {
    progress.warn(`gbuild.lock could not be written, the next run may choose differently: ${(error as Error).message}`);
  }
  return { images, lock, platform };
}

/** The usual case, without loading what it takes to make a toolchain: the image is on the engine. */
async function findBuild({ session, engine }: ReadyInput): Promise<EnsuredToolchain | undefined> {
  const reference = session.toolchain.build;
  const found = await engine.inspectImage(reference);
  return found && { build: { reference, id: found.id }, locked: { build: found.id } };
}

async function ensureImages(input: ReadyInput, role: 'build' | 'both'): Promise<EnsuredToolchain> {
  const { ensureToolchain } = await import('../toolchain/ensure.ts');
  return ensureToolchain(input.session.toolchain, { ...rimOf(input), role });
}

/** What is in the images, for the lock: what a colleague's may differ in. */
async function readContents(input: ReadyInput, { build, runtime }: EnsuredToolchain): Promise<Partial<LockedPlatform>> {
  const { packagesDigest, readPackages, readTools } = await import('../toolchain/contents.ts');
  const rim = rimOf(input);
  const { tools: commands, runtime: hasRuntime } = input.session.toolchain;
  const [packages, runtimePackages, tools] = await Promise.all([
    readPackages(rim, build.reference),
    hasRuntime === undefined || runtime === undefined ? {} : readPackages(rim, runtime.reference),
    readTools(rim, build.reference, commands),
  ]);
  return {
    ...(Object.keys(tools).length > 0 && { tools }),
    ...(Object.keys(packages).length > 0 && { packages: packagesDigest(packages) }),
    ...(Object.keys(runtimePackages).length > 0 && { runtimePackages }),
  };
}

/** A run goes on with a build image that is not the locked one, and says what in it is another. */
async function sayWhatMoved(input: ReadyInput, locked: LockedPlatform, { build }: EnsuredToolchain): Promise<void> {
  if (build.id === locked.build || locked.packages === undefined) return;
  const { describeChanges, packagesDigest, readPackages, readTools } = await import('../toolchain/contents.ts');
  const rim = rimOf(input);
  const { tools: commands, name, version } = input.session.toolchain;
  const packages = await readPackages(rim, build.reference);
  if (packagesDigest(packages) === locked.packages) return;
  const changes = describeChanges(locked.tools ?? {}, await readTools(rim, build.reference, commands));
  const what = changes.length > 0 ? changes.join(', ') : 'Debian packages, none of its own tools';
  input.progress.warn(
    `${name} ${version} is not the one of gbuild.lock: packages have moved on since (${what}); "gbuild lock --update" takes them`,
  );
}

function rimOf({ engine, host, progress, stop, renewed }: ReadyInput) {
  return { engine, host, progress, stop, renewed };
}

/** The image to ship on alone, for packing what is there already: its id on this engine, and the platform. */
export async function readyRuntime(input: ReadyInput): Promise<ReadyRuntime> {
  const { session, engine } = input;
  const { platform } = await engine.info();
  if (session.toolchain.lockState !== 'fits' || session.lock?.toolchain.platforms[platform] === undefined) {
    const { images } = await readyToolchain(input);
    return { runtime: images.locked.runtime, platform };
  }
  const { build, runtime = build } = session.toolchain;
  const found = await engine.inspectImage(runtime);
  if (found !== undefined) return { runtime: found.id, platform };
  const { ensureRuntime } = await import('../toolchain/ensure.ts');
  return { runtime: (await ensureRuntime(session.toolchain, rimOf(input))).id, platform };
}

/** A lock for another request must not be replaced behind a CI's back, nor a changed recipe be taken silently. */
async function assertLockFits({ session, frozen, progress }: ReadyInput): Promise<void> {
  const { toolchain, lock } = session;
  if (toolchain.lockState === 'fits' || (toolchain.lockState === 'none' && frozen !== 'always')) return;
  if (frozen !== 'never') return throwStale(session);
  progress.note(`${describeMismatch(toolchain, lock)}: locking anew`);
}

/** Refuses a lock that does not fit, with the lines of both files that do not agree. */
export async function throwStale(session: WorkspaceSession): Promise<never> {
  const { toolchain, lock, rootDir } = session;
  const places = await locateMismatch(session);
  throw new GbuildError(
    'lock-stale',
    [`${rootDir}/gbuild.lock: ${describeMismatch(toolchain, lock)}`, ...places.map((place) => `  ${place}`)].join('\n'),
    {
      suggestions: ['gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain"'],
      facts: { lockState: toolchain.lockState, request: toolchain.request, places },
    },
  );
}

/** `file:line:column key`, of the spec and of the lock. */
async function locateMismatch({ rootDir, spec, specFile, toolchain }: WorkspaceSession): Promise<string[]> {
  if (toolchain.lockState === 'none') return [];
  const [{ readSpec }, { locateInLock }] = await Promise.all([import('../spec/read.ts'), import('../spec/lock.ts')]);
  const key = toolchain.lockState === 'recipe-changed' ? 'recipe' : 'request';
  // Its tasks have been checked: they may need some of the toolchain's own.
  const needed = Object.values(spec.tasks).flatMap((task) => task.needs);
  const inSpec = specFile === undefined ? undefined : readSpec(specFile, undefined, needed).locate(['toolchain']);
  const inLock = locateInLock(rootDir, ['toolchain', key]);
  return [
    ...(inSpec && specFile ? [`${specFile}:${inSpec.line}:${inSpec.column} toolchain`] : []),
    ...(inLock ? [`${rootDir}/gbuild.lock:${inLock.line}:${inLock.column} toolchain.${key}`] : []),
  ];
}

/** Why a lock does not fit, for a person. */
export function describeMismatch(
  { lockState, request, name, version }: ResolvedToolchain,
  lock: Lock | undefined,
): string {
  if (lockState === 'none') return 'it is not there';
  if (lockState === 'recipe-changed') return `it was written for another recipe of ${name} ${version}`;
  const before = lock?.toolchain.request;
  if (before === request)
    return `it is for other options of ${request} than the spec and the repository's files ask for`;
  return `it is for "${before}", the spec asks for "${request}"`;
}

function lockOf({ toolchain, lock }: WorkspaceSession, platform: string, locked: LockedPlatform): Lock {
  const kept = toolchain.lockState === 'fits' ? (lock?.toolchain.platforms ?? {}) : {};
  return {
    lock: 1,
    toolchain: {
      request: toolchain.request,
      name: toolchain.name,
      version: toolchain.version,
      ...(Object.keys(toolchain.options).length > 0 && { options: toolchain.options }),
      recipe: toolchain.recipe,
      platforms: { ...kept, [platform]: locked },
    },
  };
}
