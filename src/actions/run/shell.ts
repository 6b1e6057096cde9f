import type { ContainerIO } from '../../engine/engine.ts';
import { planShell } from '../../plan/task-plan.ts';
import type { PublishedPort } from '../../spec/types.ts';
import { readHostTrust } from '../../toolchain/host/trust.ts';
import type { RepoContext } from '../session/context.ts';
import { defaultTasks } from '../session/open-repository.ts';
import type { Frozen } from '../toolchain/assert-lock-fits.ts';
import { ensureToolchainReady } from '../toolchain/ensure-ready.ts';
import { planContainer } from './container/container-plan.ts';
import { publishPorts } from './container/publish-ports.ts';
import { runPlanned } from './container/start-container.ts';
import { readRunContext } from './prepare.ts';
import { terminalEnvironment } from './run-tasks.ts';
import { withWorkspace } from './workspace/with-workspace.ts';

export interface ShellRequest extends RepoContext {
  frozen: Frozen;
  publish: PublishedPort[];
  /** Without a terminal the shell reads commands from standard input. */
  io: Omit<ContainerIO, 'stop'>;
  /** Called when the shell takes over the caller's terminal: keys go to it one by one from then on. */
  takeKeys?: () => Disposable;
}

/** Implements `gbuild shell`: gives a person the container that tasks run in. Returns the shell's exit code. */
export async function openShell(request: ShellRequest): Promise<number> {
  const { session, engine, host, io, stop } = request;
  const { spec, toolchain, rootDir } = session;
  const { images } = await ensureToolchainReady(request);
  const plan = planShell({ spec, toolchain, defaults: defaultTasks(session), host, rootDir, publish: request.publish });
  const context = await readRunContext(request, images.build.reference, readHostTrust(host));
  const { progress } = request;
  const { image, labels } = context;
  const mounted = { session, engine, host, progress, stop, image: image.reference, labels, tasks: plan.tasks };
  const { done } = await withWorkspace(mounted, async (workspace) => {
    const container = planContainer(plan.tasks[0]!, plan, { ...context, workspace });
    const env = { ...terminalEnvironment(host), ...container.spec.env };
    const published = publishPorts('shell', plan.tasks[0]!.ports, { engine, network: plan.network, progress });
    const { ports, onPublished } = published;
    const inside = { ...container.spec, env, tty: io.terminal !== undefined, stdin: true, ...(ports && { ports }) };
    using _keys = request.takeKeys?.();
    const result = await runPlanned(
      engine,
      host,
      { ...container, spec: inside },
      { ...io, stop, ...(onPublished && { onPublished }) },
    );
    return result.exitCode;
  });
  return done;
}
