import type { Engine } from '../../../engine/engine.ts';
import { GbuildError } from '../../../errors.ts';
import type { Stop } from '../../../host.ts';
import type { ReachedPort } from '../container/publish-ports.ts';
import { serviceFailed } from './readiness.ts';
import { keepServiceLog } from './service-log.ts';
import { type RunningService, type ServicesInput, startService } from './start-service.ts';

/** Description of a service in `--json`. */
export interface ServiceReport {
  name: string;
  /** File with everything that it printed. */
  log: string;
  ports?: ReachedPort[];
}

/** Seconds that a service has to end after the stop signal. */
const graceSeconds = 5;

/** Services of one run. Each starts before the first task that needs it, and all run until the last task has ended. */
export class RunServices {
  readonly #input: ServicesInput;
  readonly #network: string;
  readonly #watch = new AbortController();
  readonly #crashed = new Map<string, AbortController>();
  readonly #starting = new Map<string, Promise<RunningService>>();
  readonly #running: RunningService[] = [];
  #opened: Promise<void> | undefined;

  constructor(input: ServicesInput) {
    this.#input = input;
    this.#network = networkOf(input.engine.runId, input.shard);
  }

  /** Settles when all these services are ready. Returns their network. */
  async join(names: string[]): Promise<string> {
    this.#opened ??= this.#input.engine.services.openNetwork(this.#network);
    await this.#opened;
    await Promise.all(names.map((name) => this.#ensure(name)));
    return this.#network;
  }

  /**
   * Returns a stop that also asks when one of these services crashes: a task that needs it would fail or wait in vain.
   */
  guard(stop: Stop, names: string[]): Stop {
    const signals = names.map((name) => this.#crashOf(name).signal);
    return { ask: AbortSignal.any([stop.ask, ...signals]), kill: stop.kill };
  }

  /** Asserts that the services run: a task may have failed because one ended. @throws GbuildError `service-failed` */
  async assertRunning(names: string[]): Promise<void> {
    for (const service of this.#running.filter(({ name }) => names.includes(name))) {
      const exitCode = await service.container.readEnd().catch(() => undefined);
      if (exitCode !== undefined) throw await this.#describeEnd(service, exitCode);
    }
  }

  reports(): ServiceReport[] {
    return this.#running.map(({ name, log, ports }) => ({ name, log, ...(ports.length > 0 && { ports }) }));
  }

  /** Lists the facts that another process needs to end the services. */
  remember(): { name: string; id: string; log: string }[] {
    return this.#running.map(({ name, log, container }) => ({ name, log, id: container.id }));
  }

  /** Leaves the services running, with tasks that continue without this process. */
  leave(): void {
    this.#watch.abort();
  }

  /** Ends all services, keeps their logs, and removes the network. */
  async close(): Promise<void> {
    this.#watch.abort();
    await Promise.allSettled(this.#starting.values());
    const { engine, mask, stop, progress, shard } = this.#input;
    if (this.#opened !== undefined)
      await endServices(engine, this.remember(), { mask, kill: stop.kill, shard, progress });
  }

  #ensure(name: string): Promise<RunningService> {
    const known = this.#starting.get(name) ?? this.#start(name);
    this.#starting.set(name, known);
    return known;
  }

  async #start(name: string): Promise<RunningService> {
    const service = this.#input.plan.services.find((each) => each.name === name);
    if (service === undefined) throw new GbuildError('bug', `the plan has no service ${name}`);
    const running = await startService(service, this.#network, this.#input, this.#watch.signal);
    this.#running.push(running);
    running.ended.then(async (exitCode) => {
      if (exitCode !== 0) this.#crashOf(name).abort(await this.#describeEnd(running, exitCode));
    });
    return running;
  }

  #crashOf(name: string): AbortController {
    const crash = this.#crashed.get(name) ?? new AbortController();
    this.#crashed.set(name, crash);
    return crash;
  }

  async #describeEnd({ name, container, log }: RunningService, exitCode: number): Promise<GbuildError> {
    const { mask, progress } = this.#input;
    const warn = (text: string) => progress.warn(`${name}: ${text}`);
    const lines = await keepServiceLog(container, log, mask, warn).catch(() => []);
    const what = `ended with exit code ${exitCode} while a task needed it`;
    return serviceFailed(name, what, { lines, log, facts: { exitCode } });
  }
}

type EndInput = Pick<ServicesInput, 'mask' | 'progress'> & { kill: AbortSignal; shard?: number | undefined };

/** Ends the services of the engine's run. A later sweep removes what stays. */
export async function endServices(
  engine: Engine,
  services: { id: string; log: string }[],
  { mask, kill, shard, progress }: EndInput,
): Promise<void> {
  await Promise.allSettled(
    services.map(async ({ id, log }) => {
      const container = engine.services.find(id);
      await container.stop(graceSeconds, kill);
      await keepServiceLog(container, log, mask, (text) => progress.warn(text)).catch(() => {
        // A log that cannot be kept must not leave a container.
      });
      await container.remove();
    }),
  );
  await engine.services.removeNetwork(networkOf(engine.runId, shard)).catch(() => {});
}

/** Names the network: each shard of a run has its own services, and shards may meet on one engine. */
function networkOf(runId: string, shard: number | undefined): string {
  return shard === undefined ? `gbuild-${runId}` : `gbuild-${runId}-${shard}`;
}
