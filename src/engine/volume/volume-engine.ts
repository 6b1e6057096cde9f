import type { Wire } from '../client/client.ts';
import { claimVolume, holdAgain } from './claim-volume.ts';
import type { HolderSpec } from './lease-container.ts';
import type { VolumeHolder } from './volume-lease.ts';
import { type EngineVolume, listVolumes, readVolumeSizes, removeVolume } from './volumes.ts';

/** Whose volumes are. */
export interface VolumeOwner {
  runId: string;
  /** Of the holders of what the run has claimed. */
  labels: Record<string, string>;
  /** Looks up whose processes live, and tells whether containers with these labels are nobody's any more. */
  judge: () => (labels: Record<string, string>) => boolean;
}

/** Volumes of an engine, and what a run has claimed of them. */
export class VolumeEngine {
  readonly #wire: Wire;
  readonly #owner: VolumeOwner;

  constructor(wire: Wire, owner: VolumeOwner) {
    this.#wire = wire;
    this.#owner = owner;
  }

  /** One for this run alone, by the name given or one beside it; its holder carries the labels of this run. */
  claim(spec: HolderSpec, signal: AbortSignal): Promise<VolumeHolder> {
    return claimVolume(this.#wire, this.#labelled(spec), this.#owner.judge(), signal);
  }

  /** The one that this run has claimed before, and whose holder it has lost. */
  holdAgain(spec: HolderSpec): Promise<VolumeHolder> {
    return holdAgain(this.#wire, this.#labelled(spec), this.#owner.runId);
  }

  /** Those that carry a label, `key` or `key=value`. */
  list(label: string): Promise<EngineVolume[]> {
    return listVolumes(this.#wire, label);
  }

  /** Bytes of each by name, as far as the engine tells. */
  readSizes(signal?: AbortSignal): Promise<Map<string, number>> {
    return readVolumeSizes(this.#wire, signal);
  }

  remove(name: string): Promise<void> {
    return removeVolume(this.#wire, name);
  }

  #labelled(spec: HolderSpec): HolderSpec {
    return { ...spec, labels: { ...spec.labels, container: { ...spec.labels.container, ...this.#owner.labels } } };
  }
}
