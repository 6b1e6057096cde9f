import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { GbuildError } from '../errors.ts';
import type { Stop } from '../host.ts';
import { planTasks, type TaskPlan } from '../plan/task-plan.ts';
import { formatSeconds } from '../reporter/format.ts';
import type { Progress } from '../reporter/progress.ts';
import type { PublishedPort } from '../spec/types.ts';
import { readHostFiles } from '../toolchain/host-files.ts';
import { type HostTrust, readHostTrust } from '../toolchain/trust.ts';
import { readCommitTime } from '../workspace/commit-time.ts';
import { CacheBound } from './bound-caches.ts';
import { type CarriedWorkspace, withWorkspace } from './carry-workspace.ts';
import { chooseIdentity } from './identity.ts';
import type { Frozen } from './lock-mismatch.ts';
import { pruneLogs } from './prune-logs.ts';
import { readyToolchain } from './ready-toolchain.ts';
import { listReports } from './reports.ts';
import { RunSecrets } from './run-secrets.ts';
import type { ServiceReport } from './run-services.ts';
import { runTasks, type TaskReport, type TaskStreams } from './run-tasks.ts';
import type { RunGround } from './task-container.ts';
import { readUserTables } from './user-tables.ts';
import { warnOfLimits } from './warn-of-limits.ts';
import { defaultTasks, type Places, type WorkspaceSession } from './workspace-session.ts';

export interface RunRequest extends Places {
  session: WorkspaceSession;
  engine: Engine;
  runId: string;
  names: string[];
  args: string[];
  /** Ports of the last named task. */
  publish?: PublishedPort[];
  frozen: Frozen;
  /** As a release is made: in the very image that the lock names, where somebody has it. */
  exact?: boolean;
  streams: TaskStreams;
  progress: Progress;
  stop: Stop;
  /** Those of a larger story that this run is part of. */
  secrets?: RunSecrets;
}

/** What `--json` answers for a run. */
export interface RunReport {
  repository: string;
  toolchain: { request: string; name: string; version: string; reference: string };
  engine: { url: string; reason: string };
  tasks: TaskReport[];
  services: ServiceReport[];
  logDir: string;
  seconds: number;
}

/**
 * The story of `gbuild test`: plan, make the toolchain ready, run the tasks, leave nothing behind. A failing task throws
 * 'task-failed' with the task's own exit code after everything else has been cleaned up.
 */
export async function runNamed(request: RunRequest): Promise<RunReport> {
  const began = performance.now();
  const { session, engine, progress, stop, host } = request;
  const sourceDateEpoch = readCommitTime(session.rootDir, host.env.PATH);
  // Checked before the engine is asked for anything: a misspelt task costs nothing.
  const plan = planTasks({ ...planInput(request), sourceDateEpoch: undefined });
  const secrets = request.secrets ?? new RunSecrets(session, host);
  const needed = plan.tasks.flatMap((task) => task.secrets);
  await secrets.fetch(needed, stop.ask);
  const ready = readyToolchain(request);
  ready.catch(() => {});
  // Read while the engine answers.
  const trust = readHostTrust(host);
  const { images } = await ready;
  const timed = planTasks({ ...planInput(request), sourceDateEpoch: await sourceDateEpoch });
  const ground = await readGround(request, images.build.reference, trust);
  const logDir = join(host.stateDir, 'runs', request.runId);
  const { streams } = request;
  const run = (workspace: CarriedWorkspace) =>
    runTasks({ plan: timed, ground: { ...ground, workspace }, engine, streams, progress, stop, logDir, secrets });
  const { image, labels } = ground;
  const carried = { session, engine, host, progress, stop, image: image.reference, labels, tasks: plan.tasks };
  const running = withWorkspace(carried, run);
  // After the first container was asked for: what others left can wait for it.
  const logs = ['runs', 'builds'].map((name) => pruneLogs(join(host.stateDir, name)));
  const swept = Promise.allSettled([engine.sweep({ networks: plan.services.length > 0 }), ...logs]);
  const volumes = plan.caches.map(({ volume }) => volume);
  const bound = new CacheBound(engine, host, volumes);
  bound.look().catch(() => {
    // An engine that cannot measure its volumes is no reason for a run to fail.
  });
  try {
    const { tasks: ran, services } = await running.finally(() => bound.apply(progress));
    const tasks = withReports(plan, ran);
    const report = reportOf(request, plan, { tasks, services }, logDir, (performance.now() - began) / 1000);
    throwIfFailed(report);
    return report;
  } finally {
    await swept;
  }
}

function planInput({ session, host, names, args, publish = [] }: RunRequest) {
  const { spec, toolchain, rootDir } = session;
  return { spec, toolchain, defaults: defaultTasks(session), host, rootDir, names, args, publish };
}

export interface GroundInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Places['host'];
  progress: Progress;
}

/** Asks engine, image and machine for what every container of a run needs, but for the workspace. */
export async function readGround(
  { session, engine, host, progress }: GroundInput,
  reference: string,
  trust: HostTrust,
): Promise<Omit<RunGround, 'workspace'>> {
  const info = await engine.info();
  warnOfLimits(session.spec, engine, info, progress);
  const needsTables = chooseIdentity(host, info).uid !== 0;
  const tables = needsTables ? await readUserTables(engine, host, reference) : { passwd: '', group: '' };
  return {
    host,
    info,
    trust,
    settings: readHostFiles(host, session.toolchain.hostFiles).map(({ to, bytes }) => ({
      path: to,
      content: bytes,
      isPrivate: true,
    })),
    image: { reference, ...tables, keystores: session.toolchain.keystores },
    labels: {
      'io.gbuild.repository': session.spec.name,
      'io.gbuild.spec': session.specFile ?? session.rootDir,
    },
  };
}

/** After the run: only then all of it is on this machine. */
function withReports({ rootDir, tasks }: TaskPlan, reports: TaskReport[]): TaskReport[] {
  const globs = new Map(tasks.map((task) => [task.name, task.reports]));
  return reports.map((report) => {
    const wanted = report.state === 'skipped' ? undefined : globs.get(report.name);
    if (wanted === undefined) return report;
    return { ...report, reports: listReports(rootDir, wanted) };
  });
}

function reportOf(
  request: RunRequest,
  plan: TaskPlan,
  ran: Pick<RunReport, 'tasks' | 'services'>,
  logDir: string,
  seconds: number,
): RunReport {
  const { url, reason } = request.engine.endpoint;
  return { repository: plan.repository, toolchain: plan.toolchain, engine: { url, reason }, ...ran, logDir, seconds };
}

/** The first failing task decides the exit code; the message names every one that failed or was skipped. */
function throwIfFailed(report: RunReport): void {
  const failed = report.tasks.filter((task) => task.state === 'failed');
  const [first] = failed;
  if (first === undefined) return;
  const skipped = report.tasks.filter((task) => task.state === 'skipped').map((task) => task.name);
  const what = failed.map((task) => `task ${task.name} failed with exit code ${task.exitCode}`).join(', ');
  const rest = skipped.length > 0 ? `; skipped: ${skipped.join(', ')}` : '';
  throw new GbuildError('task-failed', `${what}${rest} (${formatSeconds(report.seconds)})`, {
    exitCode: first.exitCode ?? 1,
    suggestions: [`less ${first.log}`, `gbuild shell   # look around in the same container`],
    facts: { ...report },
  });
}
