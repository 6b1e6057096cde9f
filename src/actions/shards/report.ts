import { GbuildError } from '../../errors.ts';
import type { Shard } from '../../plan/shard.ts';
import type { TaskPlan } from '../../plan/task-plan.ts';
import { formatSeconds } from '../../reporter/format.ts';
import { describeFailed } from '../run/run.ts';
import type { TaskReport } from '../run/task-run.ts';
import type { ShardEnd } from './executor/pool.ts';

/** Shard that ran to its end. */
export interface ShardReport {
  number: number;
  /** Executor's name from the caller. */
  on: string;
  /** Number of starts. */
  tries: number;
  /** Test files of this shard, by task. */
  files: Shard['files'];
  tasks: TaskReport[];
  logDir: string;
  seconds: number;
}

/** Result of `--json` for a run in shards. */
export interface ShardsReport {
  repository: string;
  toolchain: TaskPlan['toolchain'];
  shards: ShardReport[];
  /** Report files of the workspace. */
  reports: string[];
  logDir: string;
  seconds: number;
}

/**
 * Throws for a failed run. A failed test takes precedence over a failed engine, because its fix is known. Else the
 * first shard without an end decides.
 */
export function throwVerdict(ends: readonly ShardEnd<ShardReport>[], report: ShardsReport): void {
  const failed = ends.flatMap(({ value }) => {
    const why = value && describeFailed(value.tasks);
    return why === undefined ? [] : [{ shard: value!, ...why }];
  });
  const broken = ends.find((end) => end.value === undefined);
  const [first] = failed;
  if (first === undefined) {
    if (broken !== undefined) throw broken.error;
    return;
  }
  const what = failed.map(({ shard, what }) => `shard ${shard.number} of ${ends.length}: ${what}`).join('; ');
  throw new GbuildError('task-failed', `${what} (${formatSeconds(report.seconds)})`, {
    exitCode: first.first.exitCode ?? 1,
    suggestions: [`less ${first.first.log}`, `gbuild shell   # look around in the same container`],
    facts: { ...report },
  });
}
