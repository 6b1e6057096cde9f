import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { isDetached } from '../../engine/container/resume.ts';
import type { ContainerIO } from '../../engine/container/spec.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import type { PlannedTask, TaskPlan } from '../../plan/task-plan.ts';
import { formatSeconds } from '../../reporter/format.ts';
import { describeBrokenLog } from '../../reporter/log-file.ts';
import type { Progress } from '../../reporter/progress.ts';
import { detachTask } from '../session/detached-runs.ts';
import { planContainer, type RunContext } from './container/container-plan.ts';
import { describeContainer } from './container/describe-container.ts';
import { publishPorts, type ReachedPort } from './container/publish-ports.ts';
import { runPlanned } from './container/start-container.ts';
import { MaskedOutput } from './masked-output.ts';
import type { RunSecrets } from './run-secrets.ts';
import { RunServices, type ServiceReport } from './services/run-services.ts';
import { reachDirectly } from './services/service-environment.ts';
import { runGraph } from './task-graph.ts';
import { limitTime } from './time-limit.ts';
import { explainGit } from './workspace/explain-git.ts';

/** Where output goes and input comes from. `terminal` is there when tasks may draw on one. */
export interface TaskStreams {
  stdout: Writable;
  stderr: Writable;
  stdin?: NonNullable<ContainerIO['stdin']>;
  terminal?: NonNullable<ContainerIO['terminal']>;
  /** Lines carry their task's name: in CI, and always when tasks may overlap. */
  prefixed: boolean;
}

export interface TaskReport {
  name: string;
  state: 'passed' | 'failed' | 'skipped';
  exitCode?: number;
  seconds?: number;
  /** The full output. */
  log?: string;
  /** Where its ports were to be reached while it ran. */
  ports?: ReachedPort[];
  /** Files of the workspace that the task's `reports` globs match. */
  reports?: string[];
  because?: string;
}

export interface RunTasksInput {
  plan: TaskPlan;
  context: RunContext;
  engine: Engine;
  streams: TaskStreams;
  progress: Progress;
  stop: Stop;
  logDir: string;
  /** Fetched already, all that the plan's tasks need. */
  secrets: RunSecrets;
  /** Its number, where the run is divided: nobody comes back to a task whose engine stays away, for it runs again elsewhere. */
  shard?: number;
}

/** Runs a plan's tasks, each in a container of its own, as parallel as their needs allow. Failing tasks are results. */
export async function runTasks(input: RunTasksInput): Promise<{ tasks: TaskReport[]; services: ServiceReport[] }> {
  const services = new RunServices({ ...input, mask: input.secrets.mask });
  try {
    const tasks = await runAll(input, services);
    await services.close();
    return { tasks, services: services.reports() };
  } catch (thrown) {
    if (isDetached(thrown) && input.shard === undefined) services.leave();
    else await services.close();
    throw thrown;
  }
}

async function runAll(input: RunTasksInput, services: RunServices): Promise<TaskReport[]> {
  const { plan, context } = input;
  const overlap = tasksOverlap(plan.tasks);
  const limit = overlap ? Math.max(1, context.info.cpus) : 1;
  const byName = new Map(plan.tasks.map((task) => [task.name, task]));
  const outcomes = await runGraph(plan.tasks, limit, async (name) => {
    const report = await runTask(byName.get(name)!, overlap, input, services);
    return { value: report, succeeded: report.state === 'passed' };
  });
  return outcomes.map((outcome) =>
    outcome.state === 'done' ? outcome.value : { name: outcome.name, state: 'skipped', because: outcome.because },
  );
}

async function runTask(
  task: PlannedTask,
  overlap: boolean,
  input: RunTasksInput,
  services: RunServices,
): Promise<TaskReport> {
  const { plan, context, engine, streams, progress, secrets } = input;
  const needed = task.services;
  const network = needed.length === 0 ? plan.network : await services.join(needed);
  const { mask } = secrets;
  const log = join(input.logDir, `${task.name.replaceAll('/', '_')}.log`);
  const terminal = overlap ? undefined : streams.terminal;
  const prefix = streams.prefixed || overlap ? `${task.name} | ` : undefined;
  const output = new MaskedOutput(mask, {
    stdout: streams.stdout,
    stderr: streams.stderr,
    logFile: log,
    ...(prefix !== undefined && terminal === undefined && { prefix }),
  });
  const guarded = needed.length === 0 ? input.stop : services.guard(input.stop, needed);
  using stop = limitTime(guarded, task.name, task.timeout);
  progress.note(mask.maskText(`> ${task.name}: ${describeCommand(task)}`));
  try {
    const container = planContainer(task, plan, context, secrets.pick(task.secrets));
    for (const line of describeContainer(container.spec)) progress.detail?.(mask.maskText(`${task.name}: ${line}`));
    const env = { ...(terminal && terminalEnvironment(context.host)), ...container.spec.env };
    // What it was given must not lie on the engine's disk, should it print it.
    const engineLog = task.secrets.length > 0 ? undefined : await engine.chooseLog();
    const { ports, reached, onPublished } = publishPorts(task.name, task.ports, {
      engine,
      network: plan.network,
      progress,
    });
    const result = await runPlanned(
      engine,
      context.host,
      {
        ...container,
        spec: {
          ...container.spec,
          env: reachDirectly(env, needed),
          network,
          tty: terminal !== undefined,
          stdin: streams.stdin !== undefined,
          ...(engineLog !== undefined && { log: engineLog }),
          ...(ports !== undefined && { ports }),
        },
      },
      {
        onOutput: (stream, chunk) => output.write(stream, chunk),
        onAway: (text) => progress.warn(`${task.name}: ${text}`),
        stop,
        ...(onPublished !== undefined && { onPublished }),
        ...(terminal !== undefined && { terminal }),
        ...(streams.stdin !== undefined && { stdin: streams.stdin }),
      },
    );
    if (result.exitCode !== 0) await services.assertRunning(needed);
    const state = result.exitCode === 0 ? 'passed' : 'failed';
    const { exitCode, oomKilled, startError } = result;
    const explained =
      explainExit(exitCode, oomKilled, startError) ?? explainGit(exitCode, plan.rootDir, context.workspace);
    const because = explained === undefined ? undefined : mask.maskText(explained);
    progress.note(`${state === 'passed' ? '+' : 'x'} ${task.name} ${state} (${formatSeconds(result.seconds)})`);
    if (because !== undefined) progress.warn(`${task.name}: ${because}`);
    return {
      name: task.name,
      state,
      exitCode: result.exitCode,
      seconds: result.seconds,
      log,
      ...(reached.length > 0 && { ports: reached }),
      ...(because !== undefined && { because }),
    };
  } catch (error) {
    if (input.shard !== undefined) throw error;
    const { rootDir, repository } = plan;
    const { name, reports } = task;
    const { mount } = context.workspace;
    const copy = mount.type === 'volume' ? { copy: { volume: mount.name, image: context.image.reference } } : {};
    const about = {
      runId: engine.runId,
      task: name,
      repository,
      rootDir,
      reports,
      log,
      services: services.remember(),
      ...copy,
    };
    throw detachTask(context.host, error, about, engine.endpoint);
  } finally {
    const failure = await output.end();
    if (failure) progress.warn(describeBrokenLog(log, failure));
  }
}

/** Do two tasks exist of which neither needs the other? In an ordered chain each task needs the one before it. */
function tasksOverlap(tasks: PlannedTask[]): boolean {
  return tasks.some((task, index) => index > 0 && !task.needs.includes(tasks[index - 1]!.name));
}

/** Its first line, without the shell around it. */
export function describeCommand(task: PlannedTask): string {
  const [shell, flag, script, ...args] = task.command;
  const isScript = shell === '/bin/sh' && flag === '-ec';
  const text = isScript ? [script?.replace(/ "\$@"$/, ''), ...args.slice(1)].join(' ') : task.command.join(' ');
  const lines = text.trim().split('\n');
  return lines.length > 1 ? `${lines[0]} ...` : text.trim();
}

/** Variables that programs look at to know how to draw. */
export function terminalEnvironment({ env }: Host): Record<string, string> {
  const shown = ['TERM', 'COLORTERM', 'NO_COLOR'].filter((name) => env[name] !== undefined);
  return Object.fromEntries(shown.map((name) => [name, env[name]!]));
}

/** Explains an exit code where the task itself does not. */
export function explainExit(exitCode: number, oomKilled: boolean, startError: string | undefined): string | undefined {
  if (oomKilled) return 'it was killed for using more memory than its limit; raise resources.memory in gbuild.yml';
  if (startError !== undefined) return `it could not be started: ${startError}`;
  if (exitCode === 127)
    return 'a command was not found; is it in the toolchain, or installed by a task this one needs?';
  if (exitCode === 126) return 'a command was found but is not executable';
  return undefined;
}
