import type { Stop } from '../../../host.ts';
import type { Shard } from '../../../plan/shard.ts';
import type { Progress } from '../../../reporter/progress.ts';
import type { TaskReport, TaskStreams } from '../../run/task-run.ts';

export interface ShardIO {
  /** Output of this shard. */
  streams: TaskStreams;
  progress: Progress;
  stop: Stop;
  /** Folder with one log for each task. */
  logDir: string;
  /** Empty folder for the reports of its tasks, at their paths in the workspace. */
  reportsDir: string;
}

/** Executor of shards: an engine or a swarm. */
export interface Executor {
  /** Name that the caller gave it. */
  name: string;
  /** Number of shards that it takes at the same time. */
  slots: number;
  /** Runs a shard to its end. Failing tasks are results; it throws the executor's own failure, or the reason of a stop. */
  run(shard: Shard, io: ShardIO): Promise<TaskReport[]>;
  close(): Promise<void>;
}
