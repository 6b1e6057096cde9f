import type { Engine } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';

/** An image on the engine. */
export interface EnsuredImage {
  reference: string;
  /** The digest of its config, whatever the engine calls it. */
  id: string;
}

/** Context for making an image; handed through this room unchanged. */
export interface ToolchainContext {
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  /** Where everything is made anew, of the packages of today: what has been made so far. */
  renewed?: Set<string> | undefined;
  /** Brings the image that the lock names under this reference, where somebody has it; asked before one is made. */
  fetchLocked?: ((reference: string, stop: Stop) => Promise<EnsuredImage | undefined>) | undefined;
}
