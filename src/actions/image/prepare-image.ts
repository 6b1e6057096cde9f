import { join } from 'node:path';
import { isThere, readWhole } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import { digestOf } from '../../oci/digest.ts';
import type { Image } from '../../oci/image/image.ts';
import { completeImage } from '../../oci/layout/copy.ts';
import { gatherImages, type ImageSet } from '../../oci/layout/image-set.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import { type ImagePlan, planImage } from '../../plan/image-plan.ts';
import { matchFolders } from '../../plan/match-globs.ts';
import { tasksOf } from '../../plan/task-plan.ts';
import { type Revision, readRevision } from '../../workspace/commit/revision.ts';
import { readTrackedFiles } from '../../workspace/git/tracked.ts';
import { runNamed } from '../run/run.ts';
import { RunSecrets } from '../run/run-secrets.ts';
import type { TaskReport } from '../run/task-run.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { defaultTasks } from '../session/open-repository.ts';
import { readyRuntime } from '../toolchain/ensure-ready.ts';
import { assertLockedBuild, assertLockedRuntime } from './assert-locked.ts';
import { assertReleasable, assertTracked, assertUntouched } from './assert-releasable.ts';
import { obtainBase } from './base/obtain-base.ts';
import type { KnownBase } from './base/read-base.ts';
import { type PackedImage, packImage, putOn } from './pack.ts';
import type { PrepareImageRequest } from './prepare-image-request.ts';

/** Image as a value, with all facts of its making. No engine has it yet. */
export interface PreparedImage {
  plan: ImagePlan;
  /** Image for the engine's platform. */
  packed: PackedImage;
  /** Images for every requested platform. */
  set: ImageSet;
  base: KnownBase;
  /** Bases for the other platforms. */
  platformBases: KnownBase[];
  revision: Revision | undefined;
  /** Tasks that ran for the image, in order. */
  tasks: string[];
}

/** Checks, builds and packs. A version needs the clean tree of a commit and the locked toolchain. */
export async function prepareImage(asked: PrepareImageRequest, store: Layout): Promise<PreparedImage> {
  const { progress, host, version } = asked;
  const revision =
    version === undefined ? await readState(asked.session, host.env) : await readReleasable(asked.session, host.env);
  // Planned before any work is done, so that mistakes end here.
  planOf(asked, revision, version);
  const exact = version !== undefined;
  const ready = await readyRuntime({ ...asked, exact });
  const request = { ...asked, session: ready.session };
  const plan = planOf(request, revision, version);
  if (exact) await assertLockedRuntime(request, ready);
  const platformBases = await readOthers(request, plan, store);
  const secrets = request.secrets ?? new RunSecrets(request);
  const built = await runBuild(request, plan, secrets);
  if (version !== undefined && request.build) await assertLockedBuild(request, ready);
  if (version !== undefined) await refuseTouched(request, revision!, built);
  const base = await obtainBase(plan.base, { ...request, store });
  const packed = await progress.step('packing', () =>
    packImage({ ...request, store }, { plan, base, platformBases, revision }),
  );
  if (leavesMachine(request) && secrets.given.length > 0)
    await progress.step('scanning for secrets', () =>
      refuseSecrets(request, plan, packed.image, { store, secrets, built }),
    );
  const set = await gatherSet(request, plan, packed.image, platformBases);
  return { plan, packed, set, base, platformBases, revision, tasks: built.map(({ name }) => name) };
}

/** Returns the commit of a release: the tree must be clean, and spec and lock must be in the commit. */
export async function readReleasable(session: WorkspaceSession, env: Host['env']): Promise<Revision> {
  const revision = await readState(session, env);
  assertReleasable(session, revision);
  assertTracked(session, await readTrackedFiles(session.rootDir, env));
  return revision;
}

function readState({ rootDir, toolchain }: WorkspaceSession, env: Host['env']): Promise<Revision | undefined> {
  return readRevision(rootDir, env, matchFolders(toolchain.leftovers));
}

async function refuseTouched(
  { session, host: { env } }: PrepareImageRequest,
  before: Revision,
  built: TaskReport[],
): Promise<void> {
  const [after, tracked = []] = await Promise.all([readState(session, env), readTrackedFiles(session.rootDir, env)]);
  const tasks = built.map(({ name }) => name);
  assertUntouched(session.rootDir, { before, after, tracked, tasks, lockFiles: session.toolchain.lockFiles });
}

/**
 * Reads the bases of the other platforms before anything is built. An image that stays on this machine is for its
 * engine alone.
 */
async function readOthers(request: PrepareImageRequest, plan: ImagePlan, store: Layout): Promise<KnownBase[]> {
  if (plan.platforms === undefined || !leavesMachine(request)) return [];
  const { readBasesByPlatform } = await import('./base/bases-by-platform.ts');
  return readBasesByPlatform(plan, { ...request, store });
}

/** Puts the same layers on each of the bases. */
async function gatherSet(
  { progress }: PrepareImageRequest,
  plan: ImagePlan,
  image: Image,
  platformBases: KnownBase[],
): Promise<ImageSet> {
  if (platformBases.length === 0) return gatherImages([image]);
  const { assertPortable } = await import('./assert-portable.ts');
  await progress.step('checking for machine code', () => assertPortable(plan, image.layers));
  return gatherImages([image, ...platformBases.map((base) => putOn(plan, base, image.layers))]);
}

/**
 * Runs the build task. Without a build, the outputs of an earlier run may hold secrets that it was given: a release of
 * them is searched for these too.
 */
async function runBuild(request: PrepareImageRequest, plan: ImagePlan, secrets: RunSecrets): Promise<TaskReport[]> {
  if (plan.buildTask === undefined) return [];
  if (request.build) {
    const exact = request.version !== undefined;
    return (await runNamed({ ...request, exact, names: [plan.buildTask], args: [], secrets })).tasks;
  }
  if (leavesMachine(request)) await secrets.fetchFor(plan.buildTask, request.stop.ask);
  return [];
}

function leavesMachine({ version, outputs }: PrepareImageRequest): boolean {
  return version !== undefined || outputs.length > 0;
}

async function refuseSecrets(
  { session }: PrepareImageRequest,
  { reference }: ImagePlan,
  image: Image,
  { store, secrets, built }: { store: Layout; secrets: RunSecrets; built: TaskReport[] },
): Promise<void> {
  const { assertNoSecrets } = await import('./secret-scan.ts');
  const whole = completeImage(image, store);
  const baseLayers = image.baseDiffIds.length;
  await assertNoSecrets({ reference, image: whole, baseLayers, rootDir: session.rootDir, tasks: built, secrets });
}

function planOf(
  { session }: PrepareImageRequest,
  revision: Revision | undefined,
  version: string | undefined,
): ImagePlan {
  const { spec, toolchain, defaults, lock, rootDir, rememberedIn = rootDir } = session;
  const tasks = Object.keys(tasksOf(spec, defaultTasks(session)));
  // A lock that could not be written has no digest.
  const file = join(rememberedIn, 'gbuild.lock');
  const lockDigest = lock === undefined || !isThere(file) ? undefined : digestOf(readWhole(file));
  return planImage({ spec, toolchain, defaults, revision, version, tasks, lockDigest });
}
