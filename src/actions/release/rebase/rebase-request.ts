import type { Engine } from '../../../engine/engine.ts';
import type { Stop } from '../../../host.ts';
import type { AppContext } from '../../session/context.ts';

export interface RebaseRequest extends AppContext {
  name: string;
  version: string;
  /** The version of the new release. */
  release: string;
  /** Reference on the engine; undefined: the one of today. */
  base: string | undefined;
  /** Whatever the platform or the toolchain's major version. */
  force: boolean;
  tags: string[];
  push: boolean;
  registry: string | undefined;
  keyFile: string | undefined;
  attest: boolean;
  engine: Engine;
  stop: Stop;
}
