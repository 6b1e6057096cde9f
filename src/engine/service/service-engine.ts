import { GbuildError } from '../../errors.ts';
import type { EngineClient } from '../client/client.ts';
import { createContainer, putFiles, removeContainer } from '../container/container.ts';
import { verifyMount } from '../container/probe.ts';
import type { ContainerSpec } from '../container/spec.ts';
import { type FailedStart, startContainer } from '../container/start.ts';
import { createNetwork, removeNetwork } from './networks.ts';
import { ServiceContainer } from './service-container.ts';

/** Failure: the command of a service could not be executed. */
export class ServiceStartError extends GbuildError {
  readonly start: FailedStart;

  constructor(start: FailedStart) {
    super('service-failed', start.startError, { facts: { ...start } });
    this.start = start;
  }
}

/** Service containers of a run, and their shared network; all have the labels of the run. */
export class ServiceEngine {
  readonly #client: EngineClient;
  readonly #labels: Record<string, string>;

  constructor(client: EngineClient, labels: Record<string, string>) {
    this.#client = client;
    this.#labels = labels;
  }

  openNetwork(name: string): Promise<void> {
    return createNetwork(this.#client, { name, labels: this.#labels });
  }

  /** Removes the network; a missing one is fine. */
  removeNetwork(name: string): Promise<void> {
    return removeNetwork(this.#client, name);
  }

  /**
   * Starts a service container.
   *
   * @throws ServiceStartError where its command cannot be executed; otherwise as `runContainer`
   */
  async start(spec: ContainerSpec, signal: AbortSignal): Promise<ServiceContainer> {
    const labels = { ...spec.labels, ...this.#labels, [serviceLabel]: spec.alias ?? '' };
    const id = await createContainer(this.#client, { ...spec, labels });
    try {
      signal.throwIfAborted();
      await putFiles(this.#client, id, spec.files, signal);
      if (spec.probe !== undefined) await verifyMount(this.#client, id, spec.probe, signal);
      const failed = await startContainer(this.#client, id, { ...spec, labels }, signal);
      if (failed !== undefined) throw new ServiceStartError(failed);
      return new ServiceContainer(this.#client, id);
    } catch (thrown) {
      await removeContainer(this.#client, id, { lost: false, kill: true }).catch(() => {
        // The first error takes precedence; the labels let a later sweep remove the container.
      });
      throw thrown;
    }
  }

  /** Returns a container that another process has started. */
  find(id: string): ServiceContainer {
    return new ServiceContainer(this.#client, id);
  }
}

export const serviceLabel = 'io.gbuild.service';
