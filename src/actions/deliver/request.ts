import type { Stop } from '../../host.ts';
import type { AppContext } from '../session/context.ts';

export interface DeliverRequest extends AppContext {
  stop: Stop;
  /** Name of a target in gbuild.yml, or a kind of target. */
  target: string;
  /** Version, or NAME:VERSION; undefined for the newest release here. */
  release: string | undefined;
  /** Channel whose release is delivered; undefined for none. */
  channel: string | undefined;
  /** Word that no other command uses. */
  runId: string;
  registry: string | undefined;
  /** Platform of an index, where the target takes one. */
  platform: string | undefined;
  /** Folder to write to; undefined for none. */
  output: string | undefined;
  /** URL to put the files at; undefined for none. */
  put: string | undefined;
  check: boolean;
}
