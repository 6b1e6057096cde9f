import type { Stop } from '../../../host.ts';
import type { Shard } from '../../../plan/shard.ts';
import type { Progress } from '../../../reporter/progress.ts';
import type { TaskReport, TaskStreams } from '../../run/task-run.ts';

export interface ShardIO {
  /** This shard's output. */
  streams: TaskStreams;
  progress: Progress;
  stop: Stop;
  /** For one log a task. */
  logDir: string;
  /** An empty folder that the reports of its tasks land in, at their paths in the workspace. */
  reportsDir: string;
}

/** Runs shards: an engine or a swarm. */
export interface Executor {
  /** As the caller named it. */
  name: string;
  /** Shards that it takes at the same time. */
  slots: number;
  /** Runs a shard to its end. Failing tasks are results; it throws the executor's own failure, or the reason of a stop. */
  run(shard: Shard, io: ShardIO): Promise<TaskReport[]>;
  close(): Promise<void>;
}
