import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../../../engine/engine.ts';
import type { ServiceContainer } from '../../../engine/service/service-container.ts';
import { ServiceStartError } from '../../../engine/service/service-engine.ts';
import { GbuildError } from '../../../errors.ts';
import type { Stop } from '../../../host.ts';
import type { PlannedService } from '../../../plan/service-plan.ts';
import type { TaskPlan } from '../../../plan/task-plan.ts';
import type { Progress } from '../../../reporter/progress.ts';
import type { Mask } from '../../../secrets/mask.ts';
import type { RunContext } from '../container/container-plan.ts';
import { publishPorts, type ReachedPort } from '../container/publish-ports.ts';
import { withFixedFiles } from '../container/start-container.ts';
import { awaitReady, chooseCheck, serviceFailed } from './readiness.ts';
import { planService } from './service-container-plan.ts';
import { keepServiceLog, serviceLogFile } from './service-log.ts';

export interface ServicesInput {
  plan: TaskPlan;
  context: RunContext;
  engine: Engine;
  progress: Progress;
  stop: Stop;
  logDir: string;
  mask: Mask;
  /** Number of this shard, in a divided run. */
  shard?: number;
}

/** Running service. */
export interface RunningService {
  name: string;
  container: ServiceContainer;
  log: string;
  ports: ReachedPort[];
  /** Never settles while the service runs, or when the engine is lost. */
  ended: Promise<number>;
}

/**
 * Starts one service: its image, its container on the run's network, and the wait until it is ready.
 *
 * @throws GbuildError `service-failed`, with its last lines, where it ends or is not ready in time; its container is
 * then removed
 */
export function startService(
  service: PlannedService,
  network: string,
  input: ServicesInput,
  watch: AbortSignal,
): Promise<RunningService> {
  const { name, runs } = service;
  const { engine, progress, stop, context, plan } = input;
  const title = `service ${name}${runs.kind === 'image' ? ` (${runs.reference})` : ''}`;
  return progress.step(title, async (step) => {
    const healthTest = runs.kind === 'image' ? await ensureImage(engine, runs.reference, stop, step.update) : undefined;
    const { ports, reached, onPublished } = publishPorts(name, service.ports, {
      engine,
      network: plan.network,
      progress,
    });
    const planned = planService(service, network, plan, context);
    const withPorts = { ...planned, spec: { ...planned.spec, ...(ports !== undefined && { ports }) } };
    await planned.ready;
    const container = await withFixedFiles(context.host, withPorts, (spec) =>
      engine.services.start(spec, stop.ask),
    ).catch((thrown: unknown) => {
      throw nameService(name, thrown);
    });
    const ended = container.waitForEnd(watch).catch(() => new Promise<never>(() => {}));
    const running = { name, container, log: serviceLogFile(input.logDir, name), ports: reached, ended };
    try {
      if (ports !== undefined) await onPublished?.(await container.readPorts(ports));
      await untilReady(service, running, healthTest, input);
      return running;
    } catch (thrown) {
      await container.remove().catch(() => {
        // The first error takes precedence; the labels let a later sweep remove the container.
      });
      throw thrown;
    }
  });
}

/** Ensures that the engine has the image. Returns its health check. */
async function ensureImage(
  engine: Engine,
  reference: string,
  stop: Stop,
  say: (text: string) => void,
): Promise<string[] | undefined> {
  const find = async () => (await engine.inspectImage(reference))?.config;
  let config = await find();
  if (config === undefined) {
    await engine.pullImage(reference, { stop, onProgress: ({ layer, status }) => say(`${layer} ${status}`.trim()) });
    config = await find();
  }
  return config?.Healthcheck?.Test;
}

async function untilReady(
  { name, ready }: PlannedService,
  { container, log, ended }: RunningService,
  healthTest: string[] | undefined,
  { engine, context, stop, mask, progress }: ServicesInput,
): Promise<void> {
  const late = AbortSignal.timeout(ready.timeout * 1000);
  const over = new AbortController();
  const signal = AbortSignal.any([stop.ask, late, over.signal]);
  let why = '';
  const image = context.image.reference;
  const check = awaitReady(
    { engine, container, image, labels: context.labels },
    chooseCheck(ready, healthTest),
    (said) => {
      why = said;
    },
    signal,
  );
  const fail = async (what: string, facts = {}) =>
    serviceFailed(name, what, {
      lines: await keepServiceLog(container, log, mask, (text) => progress.warn(`${name}: ${text}`)),
      log,
      facts,
    });
  const endedEarly = ended.then(async (exitCode) => {
    throw await fail(`ended with exit code ${exitCode} before it was ready`, { exitCode });
  });
  // An engine refuses a check of a service that just ended: the service's end says more, and follows at once.
  const orItsEnd = async (thrown: unknown) => {
    if (!signal.aborted) await Promise.race([endedEarly, sleep(endMilliseconds, undefined, { ref: false })]);
    throw thrown;
  };
  try {
    await Promise.race([check.catch(orItsEnd), endedEarly]);
  } catch (thrown) {
    if (late.aborted && !stop.ask.aborted)
      throw await fail(`was not ready within ${ready.timeout} s${why === '' ? '' : `: ${mask.maskText(why)}`}`);
    throw thrown;
  } finally {
    over.abort();
    await check.catch(() => {});
  }
}

/** Time for an engine to report a container's end after it refused to enter it. */
const endMilliseconds = 2000;

/** Adds the service's name to the engine's error when it does not start. */
function nameService(name: string, thrown: unknown): unknown {
  if (!(thrown instanceof ServiceStartError)) return thrown;
  return new GbuildError('service-failed', `service ${name} could not be started: ${thrown.message}`, {
    suggestions: [`see services.${name} in gbuild.yml`],
    cause: thrown,
    facts: { service: name, ...thrown.facts },
  });
}
