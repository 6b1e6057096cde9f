import type { SwarmNode } from '../engine/swarm.ts';
import type { Shard } from '../plan/shard.ts';
import { planTasks } from '../plan/task-plan.ts';
import { findRegistryAuth } from '../registry/registry-auth.ts';
import { withRegistries } from './open-registries.ts';
import { type PrepareRequest, planInput, prepareRun } from './prepare-run.ts';
import { parseRegistry } from './registry-name.ts';
import { sweepBeside } from './run-named.ts';
import type { TaskReport } from './run-tasks.ts';
import type { ShardIO, ShardPlace } from './shard-place.ts';
import { shipWorkspace } from './ship-workspace.ts';
import { packGround } from './swarm-ground.ts';
import { assertFitsSwarm, assertManager, noNodeLeft, noRegistryForSwarm } from './swarm-refusals.ts';
import { planOnSwarm, runOnSwarm, type SwarmGround } from './swarm-shard.ts';

export interface SwarmPlaceRequest extends PrepareRequest {
  runId: string;
  /** HOST or HOST:PORT, before GBUILD_REGISTRY and gbuild.yml. */
  registry: string | undefined;
}

/**
 * A swarm as a place for shards: the workspace is shipped once through a registry, and each shard is a job that runs wherever the
 * swarm puts it. Closing it takes away what is left of the run there.
 */
export async function openSwarmPlace(name: string, request: SwarmPlaceRequest): Promise<ShardPlace> {
  const { session, engine, host, progress, stop } = request;
  assertFitsSwarm(planTasks(planInput(request)));
  assertManager(engine, await engine.info());
  const said = request.registry ?? (host.env.GBUILD_REGISTRY || session.spec.registry);
  if (said === undefined) throw noRegistryForSwarm();
  const registry = parseRegistry(said);
  const { plan, ground, toolchain, secrets, planShard } = await prepareRun(request);
  const swept = sweepBeside(request, plan);
  const swarm = engine.swarm();
  const nodes = (await swarm.listNodes()).filter(({ isFree }) => isFree);
  if (nodes.length === 0) throw noNodeLeft(engine, 'the shards cannot run');
  const swarmGround: SwarmGround = { ...ground, info: { ...ground.info, ...leastOf(nodes) } };
  const [first] = planOnSwarm(plan, swarmGround);
  const registryAuth = await findRegistryAuth(registry, host, stop.ask);
  const owner = first!.identity;
  const image = await withRegistries(request, (registries) =>
    shipWorkspace({
      session,
      engine,
      host,
      progress,
      stop,
      registries,
      registry,
      toolchain,
      owner,
      ground: packGround(first!),
    }),
  );
  const common = { engine, swarm, ground: swarmGround, image, registryAuth, secrets };
  const cpus = plan.resources.cpus ?? 1;
  return {
    name,
    slots: nodes.reduce((sum, node) => sum + Math.max(1, Math.floor(node.cpus / cpus)), 0),
    run: (shard: Shard, io: ShardIO): Promise<TaskReport[]> =>
      runOnSwarm({ ...common, plan: planShard(shard), shard, io }),
    async close() {
      await swept;
      // What a lost connection kept from being removed.
      await engine.removeRun().catch(() => {});
      engine.close();
    },
  };
}

/** What a limit can be kept on whatever node it is. */
function leastOf(nodes: SwarmNode[]): { memory: number; cpus: number } {
  return {
    memory: Math.min(...nodes.map(({ memory }) => memory)),
    cpus: Math.min(...nodes.map(({ cpus }) => cpus)),
  };
}
