import { GbuildError } from '../../errors.ts';
import type { Shard } from '../../plan/shard.ts';
import type { TaskPlan } from '../../plan/task-plan.ts';
import { formatSeconds } from '../../reporter/format.ts';
import { describeFailed } from '../run/run.ts';
import type { TaskReport } from '../run/task-run.ts';
import type { ShardEnd } from './executor/pool.ts';

/** One shard that ran to its end. */
export interface ShardReport {
  number: number;
  /** As the caller named it. */
  on: string;
  /** How often it was begun. */
  tries: number;
  /** Its share of test files, by task. */
  files: Shard['files'];
  tasks: TaskReport[];
  logDir: string;
  seconds: number;
}

/** Answer of `--json` for a run in shards. */
export interface ShardsReport {
  repository: string;
  toolchain: TaskPlan['toolchain'];
  shards: ShardReport[];
  /** Files of the workspace. */
  reports: string[];
  logDir: string;
  seconds: number;
}

/** A test that failed counts before an engine that did: what is to be mended is known. Else the first that did not end. */
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
