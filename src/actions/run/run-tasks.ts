import { isDetached } from '../../engine/container/resume.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import type { PlannedTask } from '../../plan/planned-task.ts';
import type { TaskPlan } from '../../plan/task-plan.ts';
import type { Progress } from '../../reporter/progress.ts';
import { detachTask } from '../session/detached-runs.ts';
import { planContainer, type RunContext } from './container/container-plan.ts';
import { describeContainer } from './container/describe-container.ts';
import { publishPorts } from './container/publish-ports.ts';
import { runPlanned } from './container/start-container.ts';
import type { RunSecrets } from './run-secrets.ts';
import { RunServices, type ServiceReport } from './services/run-services.ts';
import { reachDirectly } from './services/service-environment.ts';
import { runGraph } from './task-graph.ts';
import { headOf, skippedTask, type TaskReport, TaskRun, type TaskStreams } from './task-run.ts';
import { explainGit } from './workspace/explain-git.ts';

export interface RunTasksInput {
  plan: TaskPlan;
  context: RunContext;
  engine: Engine;
  streams: TaskStreams;
  progress: Progress;
  stop: Stop;
  logDir: string;
  /** All secrets that the plan's tasks need, already fetched. */
  secrets: RunSecrets;
  /**
   * Number of this shard in a divided run. Its tasks cannot be attached to after the loss of an engine, because another
   * executor runs them again.
   */
  shard?: number;
}

/** Runs a plan's tasks, each in its own container, as parallel as their needs allow. Failing tasks are results. */
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
    outcome.state === 'done' ? outcome.value : skippedTask(outcome.name, outcome.failedNeed),
  );
}

async function runTask(
  task: PlannedTask,
  overlap: boolean,
  input: RunTasksInput,
  services: RunServices,
): Promise<TaskReport> {
  const { plan, context, engine, progress, secrets } = input;
  const needed = task.services;
  const network = needed.length === 0 ? plan.network : await services.join(needed);
  const terminal = overlap ? undefined : input.streams.terminal;
  const prefixed = terminal === undefined && (input.streams.prefixed || overlap);
  const streams = { ...input.streams, prefixed };
  const stop = needed.length === 0 ? input.stop : services.guard(input.stop, needed);
  const head = headOf(task, input.logDir);
  await using run = new TaskRun(head, { streams, progress, stop, mask: secrets.mask });
  try {
    const container = planContainer(task, plan, context, secrets.pick(task.secrets));
    for (const line of describeContainer(container.spec))
      progress.detail?.(secrets.mask.maskText(`${task.name}: ${line}`));
    const env = { ...(terminal && terminalEnvironment(context.host)), ...container.spec.env };
    // The engine keeps no log of a task with secrets: the task might print them, and they must not lie on the engine's
    // disk.
    const engineLog = task.secrets.length > 0 ? undefined : await engine.chooseLog();
    const published = publishPorts(task.name, task.ports, { engine, network: plan.network, progress });
    const { ports, reached, onPublished } = published;
    const spec = {
      ...container.spec,
      env: reachDirectly(env, needed),
      network,
      tty: terminal !== undefined,
      stdin: streams.stdin !== undefined,
      ...(engineLog !== undefined && { log: engineLog }),
      ...(ports !== undefined && { ports }),
    };
    const result = await runPlanned(
      engine,
      context.host,
      { ...container, spec },
      {
        onOutput: (stream, chunk) => run.write(stream, chunk),
        onAway: (text) => progress.warn(`${task.name}: ${text}`),
        stop: run.stop,
        ...(onPublished !== undefined && { onPublished }),
        ...(terminal !== undefined && { terminal }),
        ...(streams.stdin !== undefined && { stdin: streams.stdin }),
      },
    );
    if (result.exitCode !== 0) await services.assertRunning(needed);
    const explain = () => explainGit(result.exitCode, plan.rootDir, context.workspace);
    return run.end({ ...result, ports: reached, explain });
  } catch (error) {
    if (input.shard !== undefined) throw error;
    throw await detachTask(context.host, error, describeDetached(task, head.log, input, services), engine.endpoint);
  }
}

/** Returns the facts that `gbuild attach` needs about a task whose engine was lost. */
function describeDetached(
  { name: task, reports }: PlannedTask,
  log: string,
  { plan: { rootDir, repository }, context: { workspace, image }, engine: { runId } }: RunTasksInput,
  services: RunServices,
) {
  const { mount } = workspace;
  const about = { runId, task, repository, rootDir, reports, log, services: services.remember() };
  return mount.type === 'volume' ? { ...about, copy: { volume: mount.name, image: image.reference } } : about;
}

/** Whether two tasks exist of which neither needs the other. In an ordered chain each task needs the one before it. */
function tasksOverlap(tasks: PlannedTask[]): boolean {
  return tasks.some((task, index) => index > 0 && !task.needs.includes(tasks[index - 1]!.name));
}

/** Returns the variables that tell programs how to draw. */
export function terminalEnvironment({ env }: Host): Record<string, string> {
  const shown = ['TERM', 'COLORTERM', 'NO_COLOR'].filter((name) => env[name] !== undefined);
  return Object.fromEntries(shown.map((name) => [name, env[name]!]));
}
