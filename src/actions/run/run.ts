import { join } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { planShards, type Shard, wholeRun } from '../../plan/shard.ts';
import type { TaskPlan } from '../../plan/task-plan.ts';
import { formatSeconds } from '../../reporter/format.ts';
import type { EarlyRead } from '../../sync/read/read-side.ts';
import { listMissingVariables } from '../../toolchain/host/npm-variables.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { CacheLimit } from './cache-limits.ts';
import { type PrepareRunRequest, prepareRun } from './prepare.ts';
import { runTasks } from './run-tasks.ts';
import type { ServiceReport } from './services/run-services.ts';
import { sweepDeadRuns } from './sweep-runs.ts';
import { type TaskReport, type TaskStreams, withReports } from './task-run.ts';
import { TaskTimes } from './task-times.ts';
import { type MountedWorkspace, readEarly, type SyncReport } from './workspace/with-copy.ts';
import { withWorkspace } from './workspace/with-workspace.ts';

export interface RunRequest extends PrepareRunRequest {
  streams: TaskStreams;
  /** Part of the tests to run, where other executors run the rest. */
  part?: Pick<Shard, 'number' | 'of'> | undefined;
  /** False where the command that this run is part of sweeps the engine itself. */
  sweeps?: boolean;
}

/** Result of `--json` for a run. */
export interface RunReport {
  repository: string;
  toolchain: { request: string; name: string; version: string; reference: string };
  engine: { url: string; reason: string };
  tasks: TaskReport[];
  services: ServiceReport[];
  /** Set where the engine cannot see the workspace. */
  sync?: SyncReport;
  logDir: string;
  seconds: number;
}

/**
 * Implements `gbuild test`, `build` and `run`: prepares the toolchain, runs the planned tasks, and returns the failing
 * task's exit code. Meanwhile it removes what dead runs left.
 */
export async function runNamed(request: RunRequest): Promise<RunReport> {
  const began = performance.now();
  const { session, engine, progress, stop, host, streams } = request;
  let early: EarlyRead | undefined;
  const onAsked = () => {
    early = readEarly(request);
  };
  const { plan, context, secrets, planShard } = await prepareRun({ ...request, onAsked });
  const timed = planShard(await readShard(plan, request));
  const logDir = join(host.stateDir, 'runs', request.runId);
  const { url, reason } = engine.endpoint;
  const reportOf = (ran: Pick<RunReport, 'tasks' | 'services'>, sync?: SyncReport): RunReport => {
    const { repository, toolchain } = plan;
    const seconds = (performance.now() - began) / 1000;
    return { repository, toolchain, engine: { url, reason }, ...ran, ...(sync && { sync }), logDir, seconds };
  };
  if (!timed.tasks.some(({ name }) => request.names.includes(name))) return reportOf({ tasks: [], services: [] });
  const run = (workspace: MountedWorkspace) =>
    runTasks({ plan: timed, context: { ...context, workspace }, engine, streams, progress, stop, logDir, secrets });
  const { image, labels } = context;
  const mounted = { session, engine, host, progress, stop, image: image.reference, labels, tasks: plan.tasks, early };
  // A release needs no times: it takes all files that its tasks made.
  const times = request.exact === true ? undefined : new TaskTimes(host, session.rootDir);
  const running = times?.around(() => withWorkspace(mounted, run)) ?? withWorkspace(mounted, run);
  // Sweeps after the first container was requested: cleaning up can wait for it.
  const swept = request.sweeps === false ? undefined : sweepDeadRuns(request, plan);
  const cacheLimit = new CacheLimit(engine, host, plan);
  cacheLimit.look();
  try {
    const { done, sync } = await running.finally(() => cacheLimit.apply(progress));
    const report = reportOf(
      { tasks: withReports(plan.rootDir, plan.tasks, done.tasks), services: done.services },
      sync,
    );
    throwIfFailed(report, suggestVariables(plan, session));
    return report;
  } finally {
    await swept;
  }
}

/** Suggests variables: the repository's settings may name some, and a task does not inherit the caller's. */
function suggestVariables({ tasks }: TaskPlan, { rootDir, toolchain }: WorkspaceSession): string[] {
  const isPassed = (name: string) =>
    tasks.some(({ passEnv, env }) => passEnv.includes(name) || Object.hasOwn(env, name));
  const missing = listMissingVariables(rootDir, toolchain.hostFiles, isPassed);
  return missing.map(({ file, name }) => `write "passEnv: [${name}]" in gbuild.yml   # ${file} names it`);
}

/** Reads the shard; an undivided run has all test files. */
async function readShard(plan: TaskPlan, { host, part = wholeRun }: RunRequest): Promise<Shard> {
  if (plan.tasks.every(({ split }) => split.length === 0)) return { ...wholeRun, ...part };
  const { readTestFiles } = await import('./test-files.ts');
  return planShards(part.of, await readTestFiles(plan, host))[part.number - 1]!;
}

/** The first failing task decides the exit code; the message names every one that failed or was skipped. */
function throwIfFailed(report: RunReport, hints: string[]): void {
  const { tasks, seconds } = report;
  const failed = describeFailed(tasks);
  if (failed === undefined) return;
  throw new GbuildError('task-failed', `${failed.what} (${formatSeconds(seconds)})`, {
    exitCode: failed.first.exitCode ?? 1,
    suggestions: [...hints, `less ${failed.first.log}`, `gbuild shell   # look around in the same container`],
    facts: { ...report },
  });
}

/** Returns the first task that failed, and a sentence with every failed or skipped one. Undefined where all passed. */
export function describeFailed(tasks: TaskReport[]): { first: TaskReport; what: string } | undefined {
  const failed = tasks.filter((task) => task.state === 'failed');
  const [first] = failed;
  if (first === undefined) return undefined;
  const skipped = tasks.filter((task) => task.state === 'skipped').map((task) => task.name);
  const what = failed.map((task) => `task ${task.name} failed with exit code ${task.exitCode}`).join(', ');
  return { first, what: skipped.length > 0 ? `${what}; skipped: ${skipped.join(', ')}` : what };
}
