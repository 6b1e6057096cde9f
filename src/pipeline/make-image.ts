import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../errors.ts';
import { completeImage } from '../oci/copy.ts';
import { digestOf } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import type { Layout } from '../oci/layout.ts';
import { type ImagePlan, planImage } from '../plan/image-plan.ts';
import { tasksOf } from '../plan/task-plan.ts';
import { type Revision, readRevision } from '../workspace/revision.ts';
import { readTrackedFiles } from '../workspace/tracked.ts';
import {
  assertMovingTag,
  assertReleasable,
  assertTracked,
  assertUntouched,
  parseReleaseVersion,
} from './assert-releasable.ts';
import { cleanUp } from './clean-up.ts';
import { ensureBase } from './ensure-base.ts';
import { assertOutputsFree, parseOutputs, writeOutputs } from './image-outputs.ts';
import { type ImageRecord, recordOf } from './image-record.ts';
import { packImage } from './pack-image.ts';
import { publishImage } from './publish-image.ts';
import type { PushRecord } from './push-release.ts';
import { readBase } from './read-base.ts';
import { type ReadyRuntime, readyRuntime } from './ready-toolchain.ts';
import { noRegistry, parseRegistry } from './registry-name.ts';
import { openStore } from './release-store.ts';
import { type RunRequest, runNamed } from './run-named.ts';
import { RunSecrets } from './run-secrets.ts';
import type { TaskReport } from './run-tasks.ts';
import { defaultTasks } from './workspace-session.ts';

export interface ImageRequest extends Omit<RunRequest, 'names' | 'args'> {
  /** Undefined: a development image. */
  version: string | undefined;
  build: boolean;
  /** Further tags, which may move. */
  tags: string[];
  /** `oci:DIR` or `docker-archive:FILE`. */
  outputs: string[];
  /** Undefined: it stays on this machine and its engine. */
  push: { registry: string | undefined } | undefined;
}

/**
 * The story of `gbuild image`: check, build, pack, know the image's id, and only then let an engine see it. Until the last
 * step nothing bears the image's name, so dying at any moment leaves no half release.
 */
export async function makeImage(request: ImageRequest): Promise<ImageRecord> {
  const began = performance.now();
  const { session, engine, progress, stop, host } = request;
  const version = request.version === undefined ? undefined : parseReleaseVersion(request.version);
  for (const tag of request.tags) assertMovingTag(tag);
  const outputs = parseOutputs(request.outputs, host.cwd);
  assertOutputsFree(outputs);
  const target = request.push === undefined ? undefined : choosePushTarget(request, version);
  const revision = await readRevision(session.rootDir, host.env);
  if (version !== undefined) {
    assertReleasable(session, revision);
    assertTracked(session, await readTrackedFiles(session.rootDir, host.env));
  }
  const plan = planOf(request, revision, version);
  const ready = await readyRuntime(request);
  if (version !== undefined) await assertLocked(request, ready);
  const secrets = new RunSecrets(session, host);
  const built = await runBuild(request, plan, secrets);
  if (version !== undefined) assertUntouched(session.rootDir, revision!, await readRevision(session.rootDir, host.env));
  const store = await openStore(host);
  await ensureBase(plan.base, request);
  const base = await readBase(plan.base, { store, engine, host, progress, stop });
  const packed = await progress.step('packing', () => packImage(request, plan, base, revision));
  const { image } = packed;
  if (leavesMachine(request) && secrets.given.length > 0)
    await progress.step('looking for secrets', () => refuseLeaks(request, plan, image, { store, secrets, built }));
  stop.ask.throwIfAborted();
  const swept = cleanUp(request, engine).catch(() => undefined);
  const published = await publishImage(request, plan, packed, store).finally(() => swept);
  await writeOutputs(outputs, plan.reference, image, store);
  const pushed = target === undefined ? undefined : await push(request, target, plan, completeImage(image, store));
  return recordOf({
    plan,
    image,
    base,
    revision,
    toolchain: session.toolchain,
    ...published,
    ...(pushed !== undefined && { pushed }),
    seconds: (performance.now() - began) / 1000,
  });
}

/** Outputs of an earlier run may hold what that one was given: a release of them is searched for it too. */
async function runBuild(request: ImageRequest, plan: ImagePlan, secrets: RunSecrets): Promise<TaskReport[]> {
  if (plan.buildTask === undefined) return [];
  if (request.build) return (await runNamed({ ...request, names: [plan.buildTask], args: [], secrets })).tasks;
  if (leavesMachine(request)) await secrets.fetchFor(plan.buildTask, request.stop.ask);
  return [];
}

function leavesMachine({ version, outputs }: ImageRequest): boolean {
  return version !== undefined || outputs.length > 0;
}

async function refuseLeaks(
  { session }: ImageRequest,
  { reference }: ImagePlan,
  image: Image,
  { store, secrets, built }: { store: Layout; secrets: RunSecrets; built: TaskReport[] },
): Promise<void> {
  const { assertNoLeak } = await import('./leak-gate.ts');
  const whole = completeImage(image, store);
  const baseLayers = image.baseDiffIds.length;
  await assertNoLeak({ reference, image: whole, baseLayers, rootDir: session.rootDir, tasks: built, secrets });
}

/** Where a release goes, known before anything is built. */
function choosePushTarget({ push, host, session }: ImageRequest, version: string | undefined): string {
  if (version === undefined)
    throw new GbuildError('usage', '--push: only a release is pushed, for what others see must never move', {
      suggestions: ['gbuild image --release 1.0.1 --push'],
    });
  const registry = push?.registry ?? (host.env.GBUILD_REGISTRY || session.spec.registry);
  if (registry === undefined) throw noRegistry();
  return parseRegistry(registry);
}

async function push(request: ImageRequest, registry: string, plan: ImagePlan, image: Image): Promise<PushRecord> {
  const { tags } = request;
  const { pushTo } = await import('./push-release.ts');
  return pushTo({ ...request, registry, image, repository: plan.repository, version: plan.tag, tags });
}

function planOf({ session }: ImageRequest, revision: Revision | undefined, version: string | undefined): ImagePlan {
  const { spec, toolchain, defaults, rootDir, lock } = session;
  const tasks = Object.keys(tasksOf(spec, defaultTasks(session)));
  const lockDigest = lock === undefined ? undefined : digestOf(readFileSync(join(rootDir, 'gbuild.lock')));
  return planImage({ spec, toolchain, defaults, revision, version, tasks, lockDigest });
}

/** A release stands on the very runtime image that was locked, not on one made of packages that have moved on since. */
async function assertLocked(request: ImageRequest, { runtime, platform }: ReadyRuntime): Promise<void> {
  const { session, engine, host, progress, stop } = request;
  const locked = session.lock?.toolchain.platforms[platform];
  if (locked?.runtime === runtime) return;
  const suggestions = [
    'gbuild lock --update && git add gbuild.lock && git commit -m "Lock the toolchain anew"',
    ...(locked === undefined
      ? []
      : ['or have the locked image on this engine: from a colleague or a registry that has it']),
  ];
  if (locked === undefined) {
    throw new GbuildError(
      'release-refused',
      `gbuild.lock has no entry for ${platform}, the platform of ${engine.endpoint.url}`,
      { suggestions, facts: { platform, actual: runtime } },
    );
  }
  const { describeChanges, readPackages } = await import('../toolchain/contents.ts');
  const { toolchain } = session;
  const packages = await readPackages({ engine, host, progress, stop }, toolchain.runtime ?? toolchain.build);
  const changes = locked.runtimePackages === undefined ? [] : describeChanges(locked.runtimePackages, packages);
  const shown = changes.slice(0, mostPackagesShown).map((change) => `  ${change}`);
  if (changes.length > shown.length) shown.push(`  and ${changes.length - shown.length} more`);
  throw new GbuildError(
    'release-refused',
    [
      `gbuild.lock names the runtime image ${locked.runtime}, but ${engine.endpoint.url} has ${runtime}: packages have moved on since the lock was written`,
      ...shown,
    ].join('\n'),
    { suggestions, facts: { platform, locked: locked.runtime, actual: runtime, changes } },
  );
}

const mostPackagesShown = 10;
