import { type Owner, ownerText } from '../fs/process-owner.ts';
import type { Stop } from '../host.ts';
import { EngineClient } from './client/client.ts';
import type { Heartbeat } from './client/heartbeat-times.ts';
import { detachedRunsLabel, ownerLabel, runLabel } from './client/labels.ts';
import { PortReach } from './container/port-access.ts';
import { readImageFiles } from './container/read-file.ts';
import { resumeContainer, type Watched } from './container/resume.ts';
import { removeAfter, runContainer } from './container/run.ts';
import { seesFolder } from './container/sees-folder.ts';
import type { ContainerIO, ContainerResult, ContainerSpec, LogDriver } from './container/spec.ts';
import { type Endpoint, isRemote } from './endpoint/endpoint.ts';
import { loadArchive, type PullProgress, pullToEngine, streamImage } from './image/archive.ts';
import { type BuildRequest, buildImage } from './image/build.ts';
import {
  type EngineImage,
  type EngineImageSummary,
  inspectImage,
  listImages,
  removeImage,
  tagImage,
} from './image/images.ts';
import { type EngineInfo, readInfo } from './info.ts';
import { VolumeEngine } from './lease/volume-engine.ts';
import { readBridgeGateway } from './service/networks.ts';
import { ServiceEngine } from './service/service-engine.ts';
import { Swarm } from './swarm/swarm.ts';
import {
  abandonedTest,
  type DetachedRuns,
  removeRun,
  type SweepReport,
  type Swept,
  stagingReference,
  sweepDead,
} from './sweep.ts';

export { bareContainer, type ContainerIO, type ContainerResult, type ContainerSpec } from './container/spec.ts';
export type { Endpoint } from './endpoint/endpoint.ts';
export type { PullProgress } from './image/archive.ts';
export type { BuildRequest } from './image/build.ts';
export type { BuildEvent } from './image/buildkit.ts';
export type { EngineImage, EngineImageSummary } from './image/images.ts';
export type { EngineInfo } from './info.ts';
export { type ListedPath, parsePath } from './lease/listing.ts';
export type { VolumeChange, VolumeLease } from './lease/volume-lease.ts';
export type { SweepReport } from './sweep.ts';
export type { EngineVolume } from './volume/volumes.ts';

export interface EngineOptions {
  owner: Owner;
  runId: string;
  /** Record of runs that a sweep must spare; nothing is recorded when left out. */
  detachedRuns?: DetachedRuns;
  /** Called with one line for each request. */
  debug?: (text: string) => void;
  heartbeat?: Heartbeat;
  /** Milliseconds in which the engine must answer, or bytes must move. */
  requestTimeout?: number;
}

/** Makes an engine of an endpoint; nothing is opened or asked before its first use. */
export function connectEngine(endpoint: Endpoint, options: EngineOptions): Engine {
  return new Engine(endpoint, options);
}

/**
 * One container engine, with this run's labels. Every failure is a GbuildError: `engine-unreachable`, `engine-failed`,
 * `engine-blind`, `image-missing` or `network-failed`. A method with a stop throws the stop's reason.
 */
export class Engine {
  readonly endpoint: Endpoint;
  readonly owner: Owner;
  readonly runId: string;
  /** Access to the ports that containers publish. */
  readonly ports: PortReach;
  /** Services of the run. */
  readonly services: ServiceEngine;
  readonly volumes: VolumeEngine;
  readonly #client: EngineClient;
  readonly #detachedRuns: DetachedRuns;
  #info: Promise<EngineInfo> | undefined;

  constructor(endpoint: Endpoint, options: EngineOptions) {
    this.endpoint = endpoint;
    this.owner = options.owner;
    this.runId = options.runId;
    this.#detachedRuns = options.detachedRuns ?? { name: options.runId, runs: () => new Set() };
    this.#client = new EngineClient(endpoint, options);
    this.ports = new PortReach(this.#client);
    // Where the connection may break, the tasks that use the services can be attached again.
    const kept = isRemote(endpoint) ? { [detachedRunsLabel]: this.#detachedRuns.name } : {};
    this.services = new ServiceEngine(this.#client, { ...this.labels, ...kept });
    const { runId, labels } = this;
    this.volumes = new VolumeEngine(this.#client, {
      runId,
      labels,
      openAbandonedTest: () => abandonedTest(this.owner, this.#detachedRuns),
    });
  }

  /** Reads facts about the engine; asks once. */
  info(): Promise<EngineInfo> {
    this.#info ??= readInfo(this.#client).catch((thrown: unknown) => {
      this.#info = undefined;
      throw thrown;
    });
    return this.#info;
  }

  /**
   * Settles when the engine answers or cannot be reached, or after a moment: the first request is then on its way.
   * Where ssh may ask a person something, it waits for the answer, so that nothing else uses the terminal.
   */
  async wake(): Promise<void> {
    if (this.endpoint.ssh?.mayAsk) await this.#client.version().catch(() => undefined);
    const moment = new Promise<void>((resolve) => setTimeout(resolve, 50).unref());
    await Promise.race([this.#client.version().catch(() => undefined), moment]);
  }

  inspectImage(reference: string): Promise<EngineImage | undefined> {
    return inspectImage(this.#client, reference);
  }

  tagImage(source: string, target: string): Promise<void> {
    return tagImage(this.#client, source, target);
  }

  removeImage(reference: string): Promise<void> {
    return removeImage(this.#client, reference);
  }

  listImages(filter: { label?: string; reference?: string } = {}): Promise<EngineImageSummary[]> {
    return listImages(this.#client, filter);
  }

  /** Reads the gateway address of the containers' bridge on the engine's machine. */
  readBridgeGateway(): Promise<string | undefined> {
    return readBridgeGateway(this.#client);
  }

  pullImage(reference: string, options: { onProgress?: (progress: PullProgress) => void; stop: Stop }): Promise<void> {
    return pullToEngine(this.#client, reference, options);
  }

  loadArchive(chunks: Iterable<Buffer> | AsyncIterable<Buffer>, options: { stop: Stop }): Promise<void> {
    return loadArchive(this.#client, chunks, options);
  }

  saveImage(reference: string): Promise<AsyncGenerator<Buffer>> {
    return streamImage(this.#client, reference);
  }

  /** Builds an image. Returns its id. */
  async buildImage(request: BuildRequest): Promise<string> {
    const { buildkit } = await this.info();
    return buildImage(this.#client, request, buildkit ? 'buildkit' : 'classic');
  }

  /** Runs a container with the labels of this run and owner in addition to its own. */
  runContainer(spec: ContainerSpec, io: ContainerIO): Promise<ContainerResult> {
    const kept = spec.log === undefined ? {} : { [detachedRunsLabel]: this.#detachedRuns.name };
    return runContainer(this.#client, { ...spec, labels: { ...spec.labels, ...this.labels, ...kept } }, io);
  }

  /** Watches a container after a lost connection, to its end, and removes it. */
  async resumeContainer(watched: Watched, io: ContainerIO): Promise<ContainerResult> {
    const began = performance.now();
    const outcome = await removeAfter(this.#client, watched.id, io, () => resumeContainer(this.#client, watched, io));
    return { ...outcome, seconds: (performance.now() - began) / 1000 };
  }

  /** Chooses the driver that lets a container's output be read again, where the connection to the engine may break. */
  async chooseLog(): Promise<LogDriver | undefined> {
    if (!isRemote(this.endpoint)) return undefined;
    return (await this.info()).kind === 'podman' ? 'json-file' : 'local';
  }

  /** Whether the engine sees this folder of the caller's machine. */
  seesFolder(image: string, hostDir: string): Promise<boolean> {
    return seesFolder(this.#client, image, hostDir, this.labels);
  }

  /** Reads small files of an image by path; missing ones are left out. */
  readImageFiles(reference: string, paths: string[]): Promise<Map<string, Buffer>> {
    return readImageFiles(this.#client, reference, paths, this.labels);
  }

  /** Labels that identify the owner and the run of a container or volume. */
  get labels(): Record<string, string> {
    return { [runLabel]: this.runId, [ownerLabel]: ownerText(this.owner) };
  }

  /** Returns the name of an image in the making; a sweep removes it when this process is dead. */
  stagingReference(name: string): string {
    return stagingReference(this.owner, name);
  }

  /**
   * Removes what dead owners left. It spares living and foreign owners, and runs that can be attached again. Networks
   * are searched where a service was found, or on request.
   */
  async sweep(options: { networks?: boolean } = {}): Promise<SweepReport> {
    return sweepDead(await this.#swept(), this.owner, this.#detachedRuns, options);
  }

  /** Removes everything of one run of this process. */
  async removeRun(runId: string = this.runId): Promise<SweepReport> {
    return removeRun(await this.#swept(), runId, this.owner);
  }

  async #swept(): Promise<Swept> {
    return { client: this.#client, isManager: (await this.info()).swarm === 'manager' };
  }

  /** Returns the cluster that this engine manages: see `info().swarm`. */
  swarm(): Swarm {
    return new Swarm(this.#client, this.labels);
  }

  /** Closes kept connections; a process may also just exit. */
  close(): void {
    this.#client.close();
    this.endpoint.close?.();
  }
}
