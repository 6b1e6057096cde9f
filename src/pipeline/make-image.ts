import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../errors.ts';
import { completeImage } from '../oci/copy.ts';
import { digestOf } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import { type ImagePlan, planImage } from '../plan/image-plan.ts';
import { tasksOf } from '../plan/task-plan.ts';
import { type Revision, readRevision } from '../workspace/revision.ts';
import { readTrackedFiles } from '../workspace/tracked.ts';
import { assertLockedRuntime } from './assert-locked.ts';
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
import { readyRuntime } from './ready-toolchain.ts';
import { noRegistry, parseRegistry } from './registry-name.ts';
import { openStore } from './release-store.ts';
import { type RunRequest, runNamed } from './run-named.ts';
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
  const exact = version !== undefined;
  const ready = await readyRuntime({ ...request, exact });
  if (exact) await assertLockedRuntime(request, ready);
  if (request.build && plan.buildTask !== undefined)
    await runNamed({ ...request, exact, names: [plan.buildTask], args: [] });
  if (version !== undefined) assertUntouched(session.rootDir, revision!, await readRevision(session.rootDir, host.env));
  const store = await openStore(host);
  await ensureBase(plan.base, request);
  const base = await readBase(plan.base, { store, engine, host, progress, stop });
  const packed = await progress.step('packing', () => packImage(request, plan, base, revision));
  stop.ask.throwIfAborted();
  const swept = cleanUp(request, engine).catch(() => undefined);
  const { image } = packed;
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
