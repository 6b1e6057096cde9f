import type { SwarmNode } from '../../../engine/swarm/swarm.ts';
import type { Shard } from '../../../plan/shard.ts';
import { planTasks } from '../../../plan/task-plan.ts';
import { findRegistryAuth } from '../../../registry/auth/registry-auth.ts';
import { type PrepareRunRequest, planInput, prepareRun } from '../../run/prepare.ts';
import { sweepDeadRuns } from '../../run/sweep-runs.ts';
import type { TaskReport } from '../../run/task-run.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { parseRegistry } from '../../session/registry-name.ts';
import type { Executor, ShardIO } from '../executor/executor.ts';
import { packBaseLayer } from './base-layer.ts';
import { assertFitsSwarm, assertManager, noNodeLeft, noRegistryForSwarm } from './errors.ts';
import { pushWorkspaceImage } from './push-workspace.ts';
import { planOnSwarm, runOnSwarm, type SwarmRunContext } from './run-shard.ts';

export interface SwarmExecutorRequest extends PrepareRunRequest {
  /** Address as HOST or HOST:PORT; takes precedence over GBUILD_REGISTRY and gbuild.yml. */
  registry: string | undefined;
}

/**
 * Runs shards on a swarm. The workspace is pushed once to a registry, and each shard is a job on a node of the swarm's
 * choice. Closing it removes the rest of the run.
 */
export async function openSwarmExecutor(name: string, request: SwarmExecutorRequest): Promise<Executor> {
  const { session, engine, host, progress, stop } = request;
  assertFitsSwarm(planTasks(planInput(request)));
  assertManager(engine, await engine.info());
  const said = request.registry ?? (host.env.GBUILD_REGISTRY || session.spec.registry);
  if (said === undefined) throw noRegistryForSwarm();
  const registry = parseRegistry(said);
  const { plan, context, toolchain, secrets, planShard } = await prepareRun(request);
  const swept = sweepDeadRuns(request, plan);
  const swarm = engine.swarm();
  const nodes = (await swarm.listNodes()).filter(({ isFree }) => isFree);
  if (nodes.length === 0) throw noNodeLeft(engine, 'the shards cannot run');
  const swarmContext: SwarmRunContext = { ...context, info: { ...context.info, ...leastOf(nodes) } };
  const [first] = planOnSwarm(plan, swarmContext);
  const registryAuth = await findRegistryAuth(registry, host, stop.ask);
  const owner = first!.identity;
  const image = await withRegistries(request, (registries) =>
    pushWorkspaceImage({
      session,
      engine,
      host,
      progress,
      stop,
      registries,
      registry,
      toolchain,
      owner,
      baseLayer: packBaseLayer(first!),
    }),
  );
  const common = { engine, swarm, context: swarmContext, image, registryAuth, secrets };
  const cpus = plan.resources.cpus ?? 1;
  return {
    name,
    slots: nodes.reduce((sum, node) => sum + Math.max(1, Math.floor(node.cpus / cpus)), 0),
    run: (shard: Shard, io: ShardIO): Promise<TaskReport[]> =>
      runOnSwarm({ ...common, plan: planShard(shard), shard, io }),
    async close() {
      await swept;
      // A lost connection may have left objects.
      await engine.removeRun().catch(() => {});
      engine.close();
    },
  };
}

/** Returns the least memory and CPUs of all nodes: a limit that fits any of them. */
function leastOf(nodes: SwarmNode[]): { memory: number; cpus: number } {
  return {
    memory: Math.min(...nodes.map(({ memory }) => memory)),
    cpus: Math.min(...nodes.map(({ cpus }) => cpus)),
  };
}
