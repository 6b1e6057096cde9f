import { isBeyondResuming, isDetached } from '../../engine/container/resume.ts';
import type { Endpoint } from '../../engine/endpoint/endpoint.ts';
import { GbuildError, messageOf } from '../../errors.ts';
import type { Host, Stop } from '../../host.ts';
import { Mask } from '../../secrets/mask.ts';
import type { ApplyReport } from '../../sync/pull/apply-changes.ts';
import type { AppContext } from '../session/context.ts';
import type { DetachedTask } from '../session/detached-record.ts';
import { detachTask, forgetDetached, readDetached } from '../session/detached-runs.ts';
import type { EngineChoice } from '../session/engine-choice.ts';
import { openEngine } from '../session/open-engine.ts';
import { openWorkspace } from '../session/open-repository.ts';
import { chooseRun } from './choose-run.ts';
import { endServices } from './services/run-services.ts';
import { listReports, type TaskReport, TaskRun, type TaskStreams } from './task-run.ts';
import { removeLeftFolder } from './workspace/run-folder.ts';
import { bringBackFrom, type SyncReport } from './workspace/with-copy.ts';

export interface AttachRequest extends AppContext {
  /** Undefined for the only detached run. */
  runId: string | undefined;
  choice: EngineChoice;
  streams: TaskStreams;
  stop: Stop;
}

/** Result of `--json`. */
export interface AttachReport {
  run: string;
  repository: string;
  tasks: TaskReport[];
  /** Changes that came back, where the engine cannot see the workspace. */
  sync?: Pick<SyncReport, 'back'>;
}

/**
 * Implements `gbuild attach`: follows the tasks of a run that lost its engine to their ends, with their output from the
 * point of the loss. Throws `task-failed` as the run would have.
 */
export async function attachRun(request: AttachRequest): Promise<AttachReport> {
  const { host } = request;
  const chosen = chooseRun(await readDetached(host), request.runId);
  const ended = await Promise.all(chosen.map((record) => attachTask(request, record))).catch(async (thrown) => {
    // Also brings back the changes of a task that was stopped here. A task that continues brings them back at its end.
    if (!isDetached(thrown))
      await bringBackAll(request, chosen).catch((failure) =>
        request.progress.warn(`what the tasks changed was not brought back: ${messageOf(failure)}`),
      );
    if (!isDetached(thrown)) await end(request, chosen);
    throw thrown;
  });
  const back = await bringBackAll(request, chosen).finally(() => end(request, chosen));
  const tasks = ended.map((task, at) => ({ ...task, reports: listReports(chosen[at]!.rootDir, chosen[at]!.reports) }));
  const { runId: run, repository } = chosen[0]!;
  const report = { run, repository, tasks, ...(back && { sync: { back } }) };
  const failed = tasks.find(({ state }) => state === 'failed');
  if (failed === undefined) return report;
  throw new GbuildError('task-failed', `task ${failed.name} failed with exit code ${failed.exitCode}`, {
    exitCode: failed.exitCode ?? 1,
    suggestions: [`less ${failed.log}`],
    facts: { ...report },
  });
}

async function attachTask(request: AttachRequest, record: DetachedTask): Promise<TaskReport> {
  const { host, progress, streams, stop } = request;
  const { task: name, watched, log } = record;
  const choice = hasChoice(request.choice) ? request.choice : record.choice;
  const engine = await openEngine(host, choice, record.runId, progress, stop);
  const head = { name, log, append: true, text: 'its output goes on where it stopped' };
  try {
    // Nothing needs masking: a task with secrets leaves no log to attach to.
    await using run = new TaskRun(head, { streams, progress, stop, mask: new Mask([]) });
    const result = await engine.resumeContainer(watched, {
      onOutput: (stream, chunk) => run.write(stream, chunk),
      onAway: (text) => progress.warn(text),
      stop,
    });
    forgetDetached(host, record);
    return run.end(result);
  } catch (error) {
    throw await explain(error, host, record, engine.endpoint);
  } finally {
    engine.close();
  }
}

/** Removes the folders and services of ended tasks. */
async function end(request: AttachRequest, records: DetachedTask[]): Promise<void> {
  for (const { rootDir, runId } of records) removeLeftFolder(rootDir, runId);
  await endServicesOf(request, records);
}

async function endServicesOf({ host, choice, progress, stop }: AttachRequest, records: DetachedTask[]): Promise<void> {
  const found = records.flatMap(({ services = [] }) => services);
  const services = [...new Map(found.map((service) => [service.id, service])).values()];
  const [first] = records;
  if (first === undefined || services.length === 0) return;
  const engine = await openEngine(host, hasChoice(choice) ? choice : first.choice, first.runId, progress);
  try {
    await endServices(engine, services, { mask: new Mask([]), kill: stop.kill, progress });
  } finally {
    engine.close();
  }
}

/**
 * Brings back the changes. The tasks of a run share one workspace; where the engine cannot see it, a volume holds their
 * changes.
 */
async function bringBackAll(
  request: AttachRequest,
  [first, ...others]: DetachedTask[],
): Promise<ApplyReport | undefined> {
  if (first?.copy === undefined) return undefined;
  const { installDir, progress, stop } = request;
  const { copy, rootDir, runId } = first;
  const host = { ...request.host, cwd: rootDir };
  const session = await openWorkspace({ host, installDir, progress });
  const engine = await openEngine(host, hasChoice(request.choice) ? request.choice : first.choice, runId, progress);
  const tasks = [first, ...others].map(({ task: name, reports }) => ({ name, reports }));
  try {
    const { image, volume } = copy;
    return await bringBackFrom(volume, { session, engine, host, progress, stop, image, labels: {}, tasks });
  } finally {
    engine.close();
  }
}

/**
 * Explains the end of attaching. A container that is gone or stopped cannot be attached again; otherwise the new
 * position is recorded.
 */
async function explain(error: unknown, host: Host, record: DetachedTask, endpoint: Endpoint): Promise<unknown> {
  if (!(error instanceof GbuildError)) return error;
  if (isDetached(error)) return detachTask(host, error, record, endpoint);
  if (error.code === 'interrupted' || isBeyondResuming(error)) forgetDetached(host, record);
  return error;
}

function hasChoice({ host, context, machine }: EngineChoice): boolean {
  return host !== undefined || context !== undefined || machine !== undefined;
}
