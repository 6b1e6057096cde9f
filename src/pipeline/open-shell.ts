import type { ContainerIO, Engine } from '../engine/engine.ts';
import type { Stop } from '../host.ts';
import { planShell } from '../plan/task-plan.ts';
import type { Progress } from '../reporter/progress.ts';
import { readHostTrust } from '../toolchain/trust.ts';
import { withWorkspace } from './carry-workspace.ts';
import type { Frozen } from './lock-mismatch.ts';
import { readGround } from './prepare-run.ts';
import { readyToolchain } from './ready-toolchain.ts';
import { runPlanned } from './run-container.ts';
import { terminalEnvironment } from './run-tasks.ts';
import { planContainer } from './task-container.ts';
import { defaultTasks, type Places, type WorkspaceSession } from './workspace-session.ts';

export interface ShellRequest extends Places {
  session: WorkspaceSession;
  engine: Engine;
  progress: Progress;
  stop: Stop;
  frozen: Frozen;
  /** Without a terminal the shell reads commands from standard input. */
  io: Omit<ContainerIO, 'stop'>;
  /** Called when the shell takes over the caller's terminal: from then on keys go to it one by one. */
  takeKeys?: () => Disposable;
}

/** The story of `gbuild shell`: the container that tasks run in, with a person in it. Answers the shell's exit code. */
export async function openShell(request: ShellRequest): Promise<number> {
  const { session, engine, host, io, stop } = request;
  const { spec, toolchain, rootDir } = session;
  const { images } = await readyToolchain(request);
  const plan = planShell({ spec, toolchain, defaults: defaultTasks(session), host, rootDir });
  const ground = await readGround(request, images.build.reference, readHostTrust(host));
  const { progress } = request;
  const { image, labels } = ground;
  const carried = { session, engine, host, progress, stop, image: image.reference, labels, tasks: plan.tasks };
  return withWorkspace(carried, async (workspace) => {
    const container = planContainer(plan.tasks[0]!, plan, { ...ground, workspace });
    const env = { ...terminalEnvironment(host), ...container.spec.env };
    const inside = { ...container.spec, env, tty: io.terminal !== undefined, stdin: true };
    using _keys = request.takeKeys?.();
    const result = await runPlanned(engine, host, { ...container, spec: inside }, { ...io, stop });
    return result.exitCode;
  });
}
