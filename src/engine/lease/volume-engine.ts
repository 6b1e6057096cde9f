import type { EngineClient } from '../client/client.ts';
import { type EngineVolume, listVolumes, readVolumeSizes, removeVolume } from '../volume/volumes.ts';
import { claimVolume, reacquireLease } from './claim-volume.ts';
import type { LeaseSpec } from './lease-container.ts';
import type { VolumeLease } from './volume-lease.ts';

/** Run that claims volumes. */
export interface VolumeOwner {
  runId: string;
  /** Labels of the leases of this run. */
  labels: Record<string, string>;
  /** Reads which processes live, and returns a test whether containers with these labels are abandoned. */
  openAbandonedTest: () => (labels: Record<string, string>) => boolean;
}

/** Volumes of an engine, and the leases of this run. */
export class VolumeEngine {
  readonly #client: EngineClient;
  readonly #owner: VolumeOwner;

  constructor(client: EngineClient, owner: VolumeOwner) {
    this.#client = client;
    this.#owner = owner;
  }

  /**
   * Claims a volume for this run alone, by the given name or the next free one. The lease has the labels of this run.
   */
  claim(spec: LeaseSpec, signal: AbortSignal): Promise<VolumeLease> {
    return claimVolume(this.#client, this.#labelled(spec), this.#owner.openAbandonedTest(), signal);
  }

  /** Reacquires the volume that this run claimed before it lost the lease. */
  reacquire(spec: LeaseSpec): Promise<VolumeLease> {
    return reacquireLease(this.#client, this.#labelled(spec), this.#owner.runId);
  }

  /** Lists volumes with a label, `key` or `key=value`. */
  list(label: string): Promise<EngineVolume[]> {
    return listVolumes(this.#client, label);
  }

  /** Reads the size in bytes of each volume by name, as far as the engine reports it. */
  readSizes(signal?: AbortSignal): Promise<Map<string, number>> {
    return readVolumeSizes(this.#client, signal);
  }

  remove(name: string): Promise<void> {
    return removeVolume(this.#client, name);
  }

  #labelled(spec: LeaseSpec): LeaseSpec {
    return { ...spec, labels: { ...spec.labels, container: { ...spec.labels.container, ...this.#owner.labels } } };
  }
}
