import type { Engine } from '../../engine/engine.ts';
import type { Stop } from '../../host.ts';
import type { AppContext } from '../session/context.ts';

export interface RotateRequest extends AppContext {
  /** Names of images; none for the caller's repository, and outside of one for all that the registry lists. */
  names: readonly string[];
  registry: string | undefined;
  /** Seconds; bases that are younger stay. */
  baseOlderThan: number | undefined;
  /** Whether to start each new release before it gets its name. */
  smoke: boolean;
  dryRun: boolean;
  /** Private key file to sign releases and channels with. */
  keyFile: string | undefined;
  attest: boolean;
  engine: Engine;
  stop: Stop;
  runId: string;
}
