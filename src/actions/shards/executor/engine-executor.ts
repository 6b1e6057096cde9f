import { CacheLimit } from '../../run/cache-limits.ts';
import { type PrepareRunRequest, prepareRun } from '../../run/prepare.ts';
import { runTasks } from '../../run/run-tasks.ts';
import { sweepDeadRuns } from '../../run/sweep-runs.ts';
import { withOwnCopy } from '../../run/workspace/with-copy.ts';
import type { Executor } from './executor.ts';

/**
 * Runs shards on one engine, which has the toolchain image. Each works on its own copy of the workspace in a volume.
 */
export async function openEngineExecutor(name: string, request: PrepareRunRequest): Promise<Executor> {
  const { session, engine, host, progress } = request;
  const { plan, context, secrets, planShard } = await prepareRun(request);
  const swept = sweepDeadRuns(request, plan);
  const cacheLimit = new CacheLimit(engine, host, plan);
  cacheLimit.look();
  return {
    name,
    slots: Math.max(1, Math.floor(context.info.cpus)),
    async run(shard, { reportsDir, ...io }) {
      const planned = planShard(shard);
      const { image, labels } = context;
      const mounted = {
        session,
        engine,
        host,
        ...io,
        image: image.reference,
        labels,
        tasks: planned.tasks,
        reportsDir,
      };
      const input = { plan: planned, engine, ...io, secrets, shard: shard.number };
      const { tasks } = await withOwnCopy(mounted, reportsDir, (workspace) =>
        runTasks({ ...input, context: { ...context, workspace } }),
      );
      return tasks;
    },
    async close() {
      await cacheLimit.apply(progress);
      await swept;
      engine.close();
    },
  };
}
