import { join } from 'node:path';
import type { Stop } from '../../host.ts';
import { bareTask } from '../../spec/schema/bare-task.ts';
import { prepareRun } from '../run/prepare.ts';
import { RunServices } from '../run/services/run-services.ts';
import { withWorkspace } from '../run/workspace/with-workspace.ts';
import { ensureToolchainReady } from '../toolchain/ensure-ready.ts';
import type { MakeImageRequest } from './make-image-request.ts';

/** Network in which an image is started for a smoke test. */
export interface SmokeNetwork {
  network: string;
  /** Also stops when a service that the image needs ends. */
  stop: Stop;
  /** Image with a shell, to probe from. */
  image: string;
}

/** Name that no task can have. */
const taskName = 'image.smoke';

/** Runs the work while these services run, on their network; without services there is no network. */
export async function withSmokeNetwork(
  request: MakeImageRequest,
  services: string[],
  needsShell: boolean,
  work: (network: SmokeNetwork) => Promise<void>,
): Promise<void> {
  if (services.length > 0) return withServices(request, services, work);
  const image = needsShell ? (await ensureToolchainReady(request)).images.build.reference : '';
  return work({ network: 'none', stop: request.stop, image });
}

/** Runs the services as a task that lists them would. */
async function withServices(
  request: MakeImageRequest,
  services: string[],
  work: (network: SmokeNetwork) => Promise<void>,
): Promise<void> {
  const { session, engine, host, progress, stop, runId } = request;
  const task = { ...bareTask, run: ['true'], services };
  const spec = { ...session.spec, tasks: { ...session.spec.tasks, [taskName]: task } };
  const { plan, context, secrets } = await prepareRun({
    ...request,
    session: { ...session, spec },
    names: [taskName],
    args: [],
  });
  const { image, labels } = context;
  const logDir = join(host.stateDir, 'runs', runId);
  const mounted = { session, engine, host, progress, stop, image: image.reference, labels, tasks: plan.tasks };
  await withWorkspace({ ...mounted, early: undefined }, async (workspace) => {
    const input = { plan, context: { ...context, workspace }, engine, progress, stop, logDir, mask: secrets.mask };
    const running = new RunServices(input);
    try {
      const network = await running.join(services);
      await work({ network, stop: running.guard(stop, services), image: image.reference });
      await running.assertRunning(services);
    } finally {
      await running.close();
    }
  });
}
