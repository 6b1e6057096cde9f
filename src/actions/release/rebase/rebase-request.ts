import type { Engine } from '../../../engine/engine.ts';
import type { Stop } from '../../../host.ts';
import type { RunConfig } from '../../../oci/spec.ts';
import type { AppContext } from '../../session/context.ts';
import type { SentLayers } from '../push/reusable-layers.ts';

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
  /** Starts the new image by its id on the engine, before it has a name; throws where it is not well. */
  tryIt?: (engineId: string, config: RunConfig) => Promise<void>;
  /** Layers that another push of this command has sent, by diffID. */
  sentLayers?: SentLayers;
}
