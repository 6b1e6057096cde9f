import { randomBytes } from 'node:crypto';
import type { Engine } from '../../../engine/engine.ts';
import type { JobSpec, Swarm, SwarmNode } from '../../../engine/swarm/swarm.ts';
import { GbuildError } from '../../../errors.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import type { Shard } from '../../../plan/shard.ts';
import { formatShardScript, initEnvironment } from '../../../plan/shard-script.ts';
import type { TaskPlan } from '../../../plan/task-plan.ts';
import { type PlannedContainer, planContainer, type RunContext } from '../../run/container/container-plan.ts';
import type { RunSecrets } from '../../run/run-secrets.ts';
import { type TaskReport, withReports } from '../../run/task-run.ts';
import type { ShardIO } from '../executor/executor.ts';
import { noNodeLeft } from './errors.ts';
import { landSent } from './receive-reports.ts';
import { runJob } from './run-job.ts';
import { ShardOutput } from './shard-output.ts';

export type SwarmRunContext = Omit<RunContext, 'workspace'>;

export interface SwarmShard {
  engine: Engine;
  swarm: Swarm;
  context: SwarmRunContext;
  /** Image with the workspace, by digest. */
  image: string;
  registryAuth: string | undefined;
  secrets: RunSecrets;
  plan: TaskPlan;
  shard: Shard;
  io: ShardIO;
}

const scriptPath = '/run/gbuild/shard';
/** Size in bytes that a swarm accepts as one secret. */
const mostBytes = 500 * 1024;

/** Plans the containers of the tasks as on an engine that cannot see this machine. */
export function planOnSwarm(plan: TaskPlan, context: SwarmRunContext): PlannedContainer[] {
  const { workspace } = containerPaths;
  const mount = { type: 'bind', hostDir: workspace, containerDir: workspace } as const;
  return plan.tasks.map((task) => planContainer(task, plan, { ...context, workspace: { mount, isShared: false } }));
}

/** Runs a shard as a job. When its node dies, the job runs again on another one, as long as one is left. */
export async function runOnSwarm(input: SwarmShard): Promise<TaskReport[]> {
  const { plan, engine, swarm, shard, io } = input;
  const { tasks } = plan;
  if (tasks.length === 0) return [];
  const lost: SwarmNode[] = [];
  for (;;) {
    const late = new AbortController();
    const token = `gbuild-${randomBytes(12).toString('hex')}`;
    const output = new ShardOutput({ token, tasks, io, mask: input.secrets.mask, onLate: (why) => late.abort(why) });
    try {
      const { spec, files } = planJob(input, token, lost);
      const { registryAuth } = input;
      const end = await runJob({ swarm, spec, files, registryAuth, output, io, late: late.signal });
      if (end.kind === 'over') return await collect(input, output);
      lost.push(end.node);
    } finally {
      await output.close();
    }
    const what = `node ${lost.at(-1)!.name} of the swarm is gone`;
    const left = (await swarm.listNodes()).some(({ id, isFree }) => isFree && !lost.some((node) => node.id === id));
    if (!left) throw noNodeLeft(engine, what);
    io.progress.warn(
      `${what}: shard ${shard.number} of ${shard.of} starts again on another one; its output so far does not count`,
    );
  }
}

function planJob({ engine, context, image, plan, shard }: SwarmShard, token: string, lost: SwarmNode[]) {
  const containers = planOnSwarm(plan, context);
  const { spec: first, fixedFiles, identity } = containers[0]!;
  const lists = containers.map(
    ({ spec }) => spec.files.find(({ path }) => path === containerPaths.shardFiles)?.content,
  );
  const positions = new Map(plan.tasks.map(({ name }, at) => [name, at]));
  const tasks = containers.map(({ spec }, at) => ({
    needs: plan.tasks[at]!.needs.map((need) => positions.get(need)!),
    workdir: spec.workdir,
    command: spec.command,
    env: lists[at] === undefined ? spec.env : { ...spec.env, GBUILD_SHARD_FILES: listPath(at) },
  }));
  const script = formatShardScript({ token, tasks, reports: plan.tasks.flatMap(({ reports }) => reports) });
  const files = [
    { path: scriptPath, content: Buffer.from(script) },
    ...lists.flatMap((content, at) => (content === undefined ? [] : [{ path: listPath(at), content }])),
    ...fixedFiles
      .filter(({ isPrivate }) => isPrivate)
      .map(({ path, content }) => ({ path, content: Buffer.from(content) })),
  ];
  for (const file of files) assertSmall(file);
  const spec: Omit<JobSpec, 'files'> = {
    name: `gbuild-${engine.runId}-${shard.number}${lost.length > 0 ? `-${lost.length + 1}` : ''}`,
    image,
    command: ['/bin/sh', scriptPath],
    uid: identity.uid,
    gid: identity.gid,
    env: initEnvironment,
    workdir: '/',
    caches: first.mounts.filter((mount) => mount.type === 'volume'),
    network: plan.network === 'host' ? 'host' : 'bridge',
    limits: first.limits,
    capAdd: first.capAdd,
    labels: context.labels,
    platform: context.info.platform,
    avoid: lost.map(({ id }) => id),
    graceSeconds: 10,
  };
  return { spec, files };
}

function listPath(task: number): string {
  return `${containerPaths.shardFiles}-${task}`;
}

function assertSmall({ path, content }: { path: string; content: Buffer }): void {
  if (content.length <= mostBytes) return;
  throw new GbuildError(
    'usage',
    `${path} has ${content.length} bytes, and a swarm takes files of ${mostBytes} bytes at most`,
    { suggestions: ['make the list of test files or the variables of the task shorter', 'gbuild test --on NAME,NAME'] },
  );
}

async function collect({ plan, io }: SwarmShard, output: ShardOutput): Promise<TaskReport[]> {
  const { reportsDir, progress } = io;
  const globs = plan.tasks.flatMap(({ reports }) => reports);
  if (output.reports !== undefined) await landSent(output.reports, { reportsDir, globs, progress });
  return withReports(reportsDir, plan.tasks, output.listReports());
}
