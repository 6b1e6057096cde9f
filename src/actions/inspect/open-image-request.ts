import type { Stop } from '../../host.ts';
import type { AppContext } from '../session/context.ts';
import type { EngineChoice } from '../session/engine-choice.ts';

export interface OpenImageRequest extends AppContext {
  stop: Stop;
  /** Choice of the engine to ask for images that the release store lacks. */
  choice: EngineChoice;
  /** Word that no other command uses. */
  runId: string;
  /** Platform such as `linux/arm64`, for a name with several images; defaults to this machine's. */
  platform?: string | undefined;
}
