import type { Engine } from '../../../engine/engine.ts';
import type { Stop } from '../../../host.ts';
import type { AppContext } from '../../session/context.ts';

export interface RebaseRequest extends AppContext {
  name: string;
  version: string;
  /** Version of the new release. */
  release: string;
  /** Reference on the engine; undefined for the current base. */
  base: string | undefined;
  /** Whether to accept another platform or another major version of the toolchain. */
  force: boolean;
  tags: string[];
  push: boolean;
  registry: string | undefined;
  keyFile: string | undefined;
  attest: boolean;
  engine: Engine;
  stop: Stop;
}
