import { GbuildError } from '../../errors.ts';
import type { Wire } from '../client/client.ts';
import { createContainer, putFiles, removeContainer } from '../container/container.ts';
import { verifyMount } from '../container/probe.ts';
import type { ContainerSpec } from '../container/spec.ts';
import { startContainer } from '../container/start.ts';
import { createNetwork, removeNetwork } from './networks.ts';
import { ServiceContainer } from './service-container.ts';

/** Containers that stand beside a run's tasks, and the network that they share; all carry the labels of the run. */
export class ServiceEngine {
  readonly #wire: Wire;
  readonly #labels: Record<string, string>;

  constructor(wire: Wire, labels: Record<string, string>) {
    this.#wire = wire;
    this.#labels = labels;
  }

  openNetwork(name: string): Promise<void> {
    return createNetwork(this.#wire, { name, labels: this.#labels });
  }

  /** A missing one is fine. */
  removeNetwork(name: string): Promise<void> {
    return removeNetwork(this.#wire, name);
  }

  /**
   * Runs it from then on.
   *
   * @throws GbuildError `service-failed` where its command cannot be executed, and as `runContainer`
   */
  async start(spec: ContainerSpec, signal: AbortSignal): Promise<ServiceContainer> {
    const labels = { ...spec.labels, ...this.#labels, [serviceLabel]: spec.alias ?? '' };
    const id = await createContainer(this.#wire, { ...spec, labels });
    try {
      signal.throwIfAborted();
      await putFiles(this.#wire, id, spec.files, signal);
      if (spec.probe !== undefined) await verifyMount(this.#wire, id, spec.probe, signal);
      const failed = await startContainer(this.#wire, id, { ...spec, labels }, signal);
      if (failed !== undefined) throw new GbuildError('service-failed', failed.startError, { facts: { ...failed } });
      return new ServiceContainer(this.#wire, id);
    } catch (thrown) {
      await removeContainer(this.#wire, id, { lost: false, kill: true }).catch(() => {
        // The first error tells more; the labels let a later sweep take it away.
      });
      throw thrown;
    }
  }

  /** One that was started by another process. */
  find(id: string): ServiceContainer {
    return new ServiceContainer(this.#wire, id);
  }
}

export const serviceLabel = 'io.gbuild.service';
