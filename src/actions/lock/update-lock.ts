import { GbuildError } from '../../errors.ts';
import { tasksOf } from '../../plan/task-plan.ts';
import type { Progress } from '../../reporter/progress.ts';
import { readLock } from '../../spec/lock/lock.ts';
import type { Lock } from '../../spec/lock/lock-types.ts';
import { type RunRequest, runNamed } from '../run/run.ts';
import { defaultTasks } from '../session/open-repository.ts';
import { keepLock, type MadeLock, makeLock } from '../toolchain/make-lock.ts';
import { keepImages } from './keep-images.ts';
import { listLockChanges } from './lock-changes.ts';

/** Request; `session` is of a repository whose lock was not checked. */
export interface UpdateRequest extends Omit<RunRequest, 'names' | 'args' | 'frozen'> {
  /** Whether to run the tests on the new toolchain before the lock is written. */
  isTried: boolean;
}

export interface UpdatedLock extends Lock {
  /** Differences from the old lock, a line each. */
  changes: string[];
}

const mostChangesShown = 30;

/**
 * Implements `gbuild lock --update`: makes the toolchain again, shows the changes, runs the tests on it, and only then
 * writes the lock. Where the tests fail, lock and engine are as before.
 */
export async function updateLock(request: UpdateRequest): Promise<UpdatedLock> {
  const { session, engine, progress } = request;
  const { build, runtime = build } = session.toolchain;
  const before = readOldLock(session.rootDir);
  const aside = await keepImages(engine, [...new Set([build, runtime])]);
  try {
    const made = await makeLock({ ...request, renewed: new Set() }, before);
    const changes = await listLockChanges(before, made, request);
    showChanges(progress, before, changes);
    if (request.isTried) await tryOut(request, made);
    await keepLock({ ...request, isLockAsked: true }, made.lock);
    await aside.drop();
    sayWhatStayed(progress, made, changes);
    if (made.lock.toolchain.registry !== undefined && changes.length > 0)
      progress.note('"gbuild toolchain push" gives colleagues these images');
    return { ...made.lock, changes };
  } catch (thrown) {
    await aside.restore();
    throw thrown;
  }
}

/** Reports the platforms that stayed: this engine makes the images of its own platform only. */
function sayWhatStayed(progress: Progress, { lock, platform }: MadeLock, changes: string[]): void {
  const others = Object.keys(lock.toolchain.platforms).filter((each) => each !== platform);
  if (changes.length === 0 || others.length === 0) return;
  progress.note(
    `${others.join(', ')} keeps its entry in gbuild.lock: run "gbuild lock --update" on an engine of it, too`,
  );
}

/** Reads the old lock. A lock that cannot be read is replaced like any other. */
function readOldLock(rootDir: string): Lock | undefined {
  try {
    return readLock(rootDir);
  } catch {
    return undefined;
  }
}

function showChanges(progress: Progress, before: Lock | undefined, changes: string[]): void {
  if (before === undefined) return;
  progress.note(
    changes.length === 0 ? 'nothing has changed since it was locked' : 'what has changed since it was locked:',
  );
  for (const line of changes.slice(0, mostChangesShown)) progress.note(`  ${line}`);
  if (changes.length > mostChangesShown) progress.note(`  and ${changes.length - mostChangesShown} more`);
}

/** Runs the repository's tests as they will run once the lock is written. */
async function tryOut(request: UpdateRequest, { lock }: MadeLock): Promise<void> {
  const { session, progress } = request;
  if (!Object.hasOwn(tasksOf(session.spec, defaultTasks(session)), 'test')) {
    progress.note('there is no task test: the new toolchain is not tried');
    return;
  }
  const locked = { ...session, lock, toolchain: { ...session.toolchain, lockState: 'fits' as const } };
  try {
    await runNamed({ ...request, session: locked, frozen: 'never', names: ['test'], args: [] });
  } catch (thrown) {
    throw thrown instanceof GbuildError && thrown.code === 'task-failed' ? explainFailure(thrown, lock) : thrown;
  }
}

function explainFailure(failed: GbuildError, { toolchain }: Lock): GbuildError {
  const { name, version } = toolchain;
  return new GbuildError(
    'task-failed',
    `the tests fail on the new ${name} ${version}, so gbuild.lock stays as it was: ${failed.message}`,
    {
      cause: failed,
      exitCode: failed.exitCode,
      suggestions: [...failed.suggestions.slice(0, 1), 'gbuild lock --update --no-try   # writes it all the same'],
      facts: failed.facts,
    },
  );
}
