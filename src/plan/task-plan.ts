import { posix } from 'node:path';
import { GbuildError } from '../errors.ts';
import type { Host } from '../host.ts';
import { bareTask } from '../spec/schema/bare-task.ts';
import type { PublishedPort, Spec, TaskSpec } from '../spec/types.ts';
import { suggest } from '../spec/yaml/suggest.ts';
import type { ResolvedToolchain } from '../toolchain/resolve/resolve.ts';
import { cacheEnvironment, type PlannedCache, planCaches } from './cache-plan.ts';
import { containerPaths } from './container-paths.ts';
import { composeEnvironment, selectPassedNames } from './environment.ts';
import { orderTasks } from './graph.ts';
import type { PlannedTask } from './planned-task.ts';
import { type PlannedService, planServices } from './service-plan.ts';
import { type Shard, wholeRun } from './shard.ts';

export interface TaskPlan {
  repository: string;
  rootDir: string;
  toolchain: { request: string; name: string; version: string; reference: string };
  network: Spec['network'];
  resources: Spec['resources'];
  caches: PlannedCache[];
  /** Whether the image comes from the catalog, with world-writable home and cache folders. */
  preparedFolders: boolean;
  /** All services that the tasks need. */
  services: PlannedService[];
  /** Tasks in an order that respects their needs. */
  tasks: PlannedTask[];
}

export interface TaskPlanInput {
  spec: Spec;
  toolchain: ResolvedToolchain;
  /** Default tasks of the toolchain for this repository. */
  defaults: Record<string, TaskSpec>;
  host: Host;
  rootDir: string;
  /** False where the spec was detected from the repository's files. */
  hasSpec?: boolean;
  names: string[];
  /** Arguments for the last named task, from after `--`. */
  args: string[];
  /** Ports that the last named task publishes, in addition to its own. */
  publish?: PublishedPort[];
  sourceDateEpoch?: number | undefined;
  /** Shard to run; undefined for the whole run. */
  shard?: Shard;
}

/** Merges the spec's tasks over the toolchain's default ones. A default task's missing needs are dropped. */
export function tasksOf(spec: Spec, defaults: Record<string, TaskSpec>): Record<string, TaskSpec> {
  const names = { ...defaults, ...spec.tasks };
  const own = Object.entries(defaults).map(([name, task]) => {
    const needs = task.needs.filter((need) => Object.hasOwn(names, need));
    return [name, { ...task, needs }] as const;
  });
  return { ...Object.fromEntries(own), ...spec.tasks };
}

/**
 * Plans the named tasks and all their needs, without those that have no file in this shard. Pure. An unknown task is
 * the caller's mistake, and the error lists all tasks.
 */
export function planTasks(input: TaskPlanInput): TaskPlan {
  const { spec, toolchain } = input;
  const tasks = tasksOf(spec, input.defaults);
  const ordered = orderTasks(input.names, (name) => {
    assertTaskExists(name, tasks, input.hasSpec !== false);
    return tasks[name]!.needs;
  });
  const order = ordered.filter((name) => input.shard?.files[name]?.length !== 0);
  const planned = new Set(order);
  return {
    repository: spec.name,
    rootDir: input.rootDir,
    toolchain: {
      request: toolchain.request,
      name: toolchain.name,
      version: toolchain.version,
      reference: toolchain.build,
    },
    network: spec.network,
    resources: spec.resources,
    caches: planCaches(input),
    preparedFolders: toolchain.kind === 'catalog' && spec.caches === 'auto',
    services: planServices(
      spec,
      order.flatMap((name) => tasks[name]!.services),
      (name, task) => planTask(name, task, { ...input, names: [], args: [] }),
    ),
    tasks: order.map((name) => {
      const needs = tasks[name]!.needs.filter((need) => planned.has(need));
      return planTask(name, { ...tasks[name]!, needs }, input);
    }),
  };
}

/** Plans a shell in the same container as tasks: same environment, caches and limits, no task. */
export function planShell(input: Omit<TaskPlanInput, 'names' | 'args'>): TaskPlan {
  const nothing = { ...input, names: [], args: [] };
  const task: TaskSpec = { ...bareTask, run: [...shellCommand] };
  return { ...planTasks(nothing), tasks: [planTask('shell', task, { ...nothing, names: ['shell'] })] };
}

/** Number of task names that a message shows. */
const mostListed = 30;

/** Best shell of the image. */
const shellCommand = ['/bin/sh', '-c', 'if command -v bash >/dev/null; then exec bash; else exec sh; fi'];

function assertTaskExists(name: string, tasks: Record<string, TaskSpec>, hasSpec: boolean): void {
  if (Object.hasOwn(tasks, name)) return;
  const names = Object.keys(tasks);
  const close = suggest(name, names);
  const listed =
    names.length > mostListed ? [...names.slice(0, mostListed), `${names.length - mostListed} more`] : names;
  throw new GbuildError('usage', `there is no task "${name}"; the tasks are ${listed.join(', ') || '(none)'}`, {
    suggestions: close === undefined ? waysToAdd(hasSpec) : [`gbuild run ${close}`],
    facts: { tasks: names },
  });
}

function waysToAdd(hasSpec: boolean): string[] {
  if (hasSpec) return ['add it under "tasks:" in gbuild.yml'];
  return ['gbuild init   # writes gbuild.yml', 'then add the task under "tasks:" in gbuild.yml'];
}

function planTask(name: string, task: TaskSpec, input: TaskPlanInput): PlannedTask {
  const { spec, toolchain, host, shard = wholeRun } = input;
  const files = shard.files[name];
  const args = name === input.names.at(-1) ? input.args : [];
  return {
    name,
    needs: task.needs,
    command: commandOf(task.run, args),
    workdir: task.workdir === '.' ? containerPaths.workspace : `${containerPaths.workspace}/${task.workdir}`,
    env: composeEnvironment({
      toolchain: { ...toolchain.env, ...cacheEnvironment(input) },
      secrets: task.secrets,
      spec: spec.env,
      task: task.env,
      isCI: host.isCI,
      taskName: name,
      toolchainId: `${toolchain.name}@${toolchain.version}`,
      sourceDateEpoch: input.sourceDateEpoch,
      shard,
      isSplit: task.split.length > 0,
    }),
    passEnv: planPassedNames(spec, host),
    secrets: task.secrets,
    ports: name === input.names.at(-1) ? addPorts(task.ports, input) : task.ports,
    services: task.services,
    ...(task.timeout !== undefined && { timeout: task.timeout }),
    reports: task.reports,
    split: task.split,
    ...(files !== undefined && { files: files.map((file) => posix.relative(task.workdir, file)) }),
  };
}

/** Adds ports: a port from the command line replaces the task's own setting for it. */
function addPorts(own: PublishedPort[], { spec, publish = [] }: TaskPlanInput): PublishedPort[] {
  for (const asked of publish) assertFits(asked, spec.network);
  const others = own.filter(({ port, protocol }) => !publish.some((p) => p.port === port && p.protocol === protocol));
  return [...others, ...publish];
}

function assertFits({ port, enginePort = port }: PublishedPort, network: Spec['network']): void {
  if (network === 'bridge' || (network === 'host' && enginePort === port)) return;
  const why =
    network === 'none'
      ? 'such a container has no port to publish'
      : "a port there is the engine's own and has one number";
  throw new GbuildError('usage', `flag --publish: gbuild.yml says "network: ${network}": ${why}`, {
    suggestions: network === 'none' ? ['write "network: bridge" in gbuild.yml'] : [`--publish ${port}`],
    facts: { network, port },
  });
}

/** Plans passed variables. A secret's source never passes as a variable, even where a glob matches it. */
function planPassedNames({ passEnv, secrets }: Spec, host: Host): string[] {
  const sources = Object.values(secrets).map(({ env }) => env);
  return selectPassedNames(passEnv, host.env).filter((name) => !sources.includes(name));
}

/** Returns the command. A string is a shell script that stops at its first failing line; a list runs as it is. */
function commandOf(run: string | string[], args: string[]): string[] {
  if (Array.isArray(run)) return [...run, ...args];
  if (args.length === 0) return ['/bin/sh', '-ec', run];
  return ['/bin/sh', '-ec', `${run.trimEnd()} "$@"`, 'sh', ...args];
}
