import type { Stop } from '../../host.ts';
import type { AppContext } from '../session/context.ts';
import type { EngineChoice } from '../session/engine-choice.ts';

export interface OpenImageRequest extends AppContext {
  stop: Stop;
  /** Which engine is asked for what the release store does not have. */
  choice: EngineChoice;
  /** A word that no other command has. */
  runId: string;
  /** `linux/arm64`: which image of several; this machine's where it is not given. */
  platform?: string | undefined;
}
