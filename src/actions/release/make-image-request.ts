import type { RunRequest } from '../run/run.ts';

export interface MakeImageRequest extends Omit<RunRequest, 'names' | 'args'> {
  /** Undefined for a development image. */
  version: string | undefined;
  build: boolean;
  /** Additional tags, which may move. */
  tags: string[];
  /** Outputs such as `oci:DIR` or `docker-archive:FILE`. */
  outputs: string[];
  /** Undefined for an image that stays on this machine. */
  push: { registry: string | undefined; keyFile: string | undefined; attest: boolean } | undefined;
}
