import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../errors.ts';
import { digestOf } from '../oci/digest.ts';
import type { Layout } from '../oci/layout.ts';
import { type ImagePlan, planImage } from '../plan/image-plan.ts';
import { tasksOf } from '../plan/task-plan.ts';
import { type Revision, readRevision } from '../workspace/revision.ts';
import { readTrackedFiles } from '../workspace/tracked.ts';
import { assertReleasable, assertTracked, assertUntouched } from './assert-releasable.ts';
import { ensureBase } from './ensure-base.ts';
import { type PackedImage, packImage } from './pack-image.ts';
import { type KnownBase, readBase } from './read-base.ts';
import { type ReadyRuntime, readyRuntime } from './ready-toolchain.ts';
import { type RunRequest, runNamed } from './run-named.ts';
import { defaultTasks } from './workspace-session.ts';

export interface PrepareRequest extends Omit<RunRequest, 'names' | 'args'> {
  /** Undefined: a development image. */
  version: string | undefined;
  build: boolean;
  outputs: string[];
}

/** An image as a value, and all that is known of how it came to be. Nobody has seen it yet. */
export interface PreparedImage {
  plan: ImagePlan;
  packed: PackedImage;
  base: KnownBase;
  revision: Revision | undefined;
  /** That were run for it, in order. */
  tasks: string[];
}

/** Checks, builds and packs. For a version the tree must be a commit's, and the toolchain the locked one. */
export async function prepareImage(request: PrepareRequest, store: Layout): Promise<PreparedImage> {
  const { session, engine, progress, stop, host, version } = request;
  const revision = await readRevision(session.rootDir, host.env);
  if (version !== undefined) {
    assertReleasable(session, revision);
    assertTracked(session, await readTrackedFiles(session.rootDir, host.env));
  }
  const plan = planOf(request, revision, version);
  const ready = await readyRuntime(request);
  if (version !== undefined) await assertLocked(request, ready);
  const tasks = request.build && plan.buildTask !== undefined ? await runBuild(request, plan.buildTask) : [];
  if (version !== undefined) assertUntouched(session.rootDir, revision!, await readRevision(session.rootDir, host.env));
  await ensureBase(plan.base, request);
  const base = await readBase(plan.base, { store, engine, host, progress, stop });
  const packed = await progress.step('packing', () => packImage(request, plan, base, revision));
  return { plan, packed, base, revision, tasks };
}

async function runBuild(request: PrepareRequest, task: string): Promise<string[]> {
  const { tasks } = await runNamed({ ...request, names: [task], args: [] });
  return tasks.map(({ name }) => name);
}

function planOf({ session }: PrepareRequest, revision: Revision | undefined, version: string | undefined): ImagePlan {
  const { spec, toolchain, defaults, rootDir, lock } = session;
  const tasks = Object.keys(tasksOf(spec, defaultTasks(session)));
  const lockDigest = lock === undefined ? undefined : digestOf(readFileSync(join(rootDir, 'gbuild.lock')));
  return planImage({ spec, toolchain, defaults, revision, version, tasks, lockDigest });
}

/** A release stands on the very runtime image that was locked, not on one made of packages that have moved on since. */
async function assertLocked(request: PrepareRequest, { runtime, platform }: ReadyRuntime): Promise<void> {
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
