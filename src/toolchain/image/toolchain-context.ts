import type { Engine } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';

/** Image on the engine. */
export interface EnsuredImage {
  reference: string;
  /** Digest of its config, whatever the engine's own id is. */
  id: string;
}

/** Context for making an image; passed through this folder unchanged. */
export interface ToolchainContext {
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  /** Images made so far, where all are made again from today's packages. */
  renewed?: Set<string> | undefined;
  /** Fetches the locked image of this reference, where a registry has it; called before an image is made. */
  fetchLocked?: ((reference: string, stop: Stop) => Promise<EnsuredImage | undefined>) | undefined;
}
