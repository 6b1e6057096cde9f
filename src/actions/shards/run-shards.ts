import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError, isInfrastructureFailure, messageOf } from '../../errors.ts';
import { ownerText, readOwner } from '../../fs/process-owner.ts';
import { withTempDir } from '../../fs/temp-dir.ts';
import { planShards, type Shard } from '../../plan/shard.ts';
import { planTasks } from '../../plan/task-plan.ts';
import { formatSeconds } from '../../reporter/format.ts';
import { type Lane, OrderedOutput } from '../../reporter/ordered.ts';
import type { Progress } from '../../reporter/progress.ts';
import { planInput } from '../run/prepare.ts';
import { describeFailed } from '../run/run.ts';
import type { TaskStreams } from '../run/task-run.ts';
import { readTestFiles } from '../run/test-files.ts';
import type { EngineChoice } from '../session/engine-choice.ts';
import { openWorkspace } from '../session/open-repository.ts';
import type { Executor } from './executor/executor.ts';
import { runPool, type ShardEnd } from './executor/pool.ts';
import { mergeReports } from './merge-reports.ts';
import { type ExecutorsRequest, openExecutors } from './open-executors.ts';
import { parseOn } from './parse-on.ts';
import { type ShardReport, type ShardsReport, throwVerdict } from './report.ts';

/** Request with the repository around the caller, and the executors as the command line names them. */
export interface InShardsRequest extends Omit<ShardsRequest, 'session' | 'executors'> {
  on: string | undefined;
  /** Engine to use where `on` names none. */
  choice: EngineChoice;
}

interface ShardsRequest extends ExecutorsRequest {
  /** Number of shards; by default one for each executor. */
  count: number | undefined;
  streams: TaskStreams;
  /** Opens the progress of one shard, as text on its own output. */
  openProgress: (write: (text: string) => void) => Progress;
}

/** Checks the call, then runs: a mistake in the call is reported before any engine is asked. */
export async function runInShards(request: InShardsRequest): Promise<ShardsReport> {
  const { host, on, choice } = request;
  const executors =
    on === undefined ? [{ name: 'the engine', kind: 'engine' as const, choice }] : parseOn(host, on, choice);
  return runShards({ ...request, executors, session: await openWorkspace(request) });
}

/**
 * Implements `gbuild test --shards N --on NAME,...`: divides the tests, and runs each part on one executor, on a copy
 * of the workspace. Outputs come one after the other, and reports are merged. One exit code covers all parts.
 */
async function runShards(request: ShardsRequest): Promise<ShardsReport> {
  const began = performance.now();
  const { session, host, runId } = request;
  const plan = planTasks(planInput(request));
  const shards = divide(request, planShards(countOf(request), await readTestFiles(plan, host)));
  const logDir = join(host.stateDir, 'runs', runId);
  return withTempDir(host, `${ownerText(readOwner())}.shards-${runId}`, async (tempDir) => {
    const executors = await openExecutors(request);
    try {
      const ends = await runAll(request, { shards, executors, tempDir, logDir });
      const dirs = ends.map(({ shard, tries }) => ({
        number: shard.number,
        dir: reportsDirOf(tempDir, shard, tries),
      }));
      const reports = await mergeReports(session.rootDir, dirs, request.progress);
      const seconds = (performance.now() - began) / 1000;
      const done = ends.flatMap(({ value }) => value ?? []);
      const { repository, toolchain } = plan;
      const report = { repository, toolchain, shards: done, reports, logDir, seconds };
      throwVerdict(ends, report);
      return report;
    } finally {
      await Promise.allSettled(executors.map((executor) => executor.close()));
    }
  });
}

function countOf({ count, executors }: ShardsRequest): number {
  if (count !== undefined) return count;
  if (!executors.some(({ kind }) => kind === 'swarm')) return executors.length;
  throw new GbuildError('usage', '--on swarm needs --shards: a swarm does not tell how many parts are good', {
    suggestions: ['gbuild test --on swarm --shards 3'],
  });
}

/** Drops shards without work: the named task may have fewer test files than shards. */
function divide({ names, progress }: ShardsRequest, shards: Shard[]): Shard[] {
  const busy = shards.filter(({ files }) => names.some((name) => files[name]?.length !== 0));
  if (busy.length === shards.length) return shards;
  progress.warn(
    `${names.join(', ')} has ${busy.length} test files, so there are ${busy.length} shards and not ${shards.length}`,
  );
  return busy.map((shard) => ({ ...shard, of: busy.length }));
}

interface Division {
  shards: Shard[];
  executors: Executor[];
  tempDir: string;
  logDir: string;
}

async function runAll(request: ShardsRequest, division: Division): Promise<ShardEnd<ShardReport>[]> {
  const { progress, stop, streams } = request;
  const { shards, executors, tempDir } = division;
  const output = new OrderedOutput(streams, tempDir, shards.length);
  try {
    return await runPool(shards, executors, {
      run: (shard, executor, attempt) =>
        runOne(request, division, output.lanes[shard.number - 1]!, { shard, executor, attempt }),
      isLost: (thrown) => !stop.ask.aborted && isInfrastructureFailure(thrown),
      onLost: (executor, { number, of }, thrown, isElsewhere) =>
        progress.warn(
          `shard ${number} of ${of}: ${executor.name} failed: ${messageOf(thrown)}${isElsewhere ? '; it runs elsewhere' : ''}`,
        ),
    });
  } finally {
    await output.end();
  }
}

interface Attempt {
  shard: Shard;
  executor: Executor;
  attempt: number;
}

async function runOne(
  { streams, stop, progress: main, openProgress }: ShardsRequest,
  { tempDir, logDir }: Division,
  lane: Lane,
  { shard, executor, attempt }: Attempt,
): Promise<ShardReport> {
  const began = performance.now();
  const title = `shard ${shard.number} of ${shard.of}`;
  const progress = openProgress((text) => void lane.stderr.write(text));
  progress.note(`> ${title} on ${executor.name}${attempt > 1 ? ', anew' : ''}`);
  const own = join(logDir, attempt > 1 ? `shard-${shard.number}.${attempt}` : `shard-${shard.number}`);
  const reportsDir = reportsDirOf(tempDir, shard, attempt);
  mkdirSync(reportsDir);
  const { prefixed } = streams;
  const io = {
    streams: { stdout: lane.stdout, stderr: lane.stderr, prefixed },
    progress,
    stop,
    logDir: own,
    reportsDir,
  };
  let isDone = false;
  try {
    const tasks = await executor.run(shard, io);
    const seconds = (performance.now() - began) / 1000;
    const failed = describeFailed(tasks);
    isDone = true;
    progress.note(
      `${failed === undefined ? '+' : 'x'} ${title} ${failed === undefined ? 'passed' : 'failed'} on ${executor.name} (${formatSeconds(seconds)})`,
    );
    if (failed !== undefined) main.warn(`${title} on ${executor.name}: ${failed.what}`);
    return { number: shard.number, on: executor.name, tries: attempt, files: shard.files, tasks, logDir: own, seconds };
  } finally {
    if (isDone) await lane.end();
  }
}

function reportsDirOf(tempDir: string, { number }: Shard, attempt: number): string {
  return join(tempDir, `reports-${number}-${attempt}`);
}
