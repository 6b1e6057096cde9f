import type { RunRequest } from '../run/run.ts';

export interface MakeImageRequest extends Omit<RunRequest, 'names' | 'args'> {
  /** Undefined: a development image. */
  version: string | undefined;
  build: boolean;
  /** Further tags, which may move. */
  tags: string[];
  /** `oci:DIR` or `docker-archive:FILE`. */
  outputs: string[];
  /** Undefined: it stays on this machine and its engine. */
  push: { registry: string | undefined; keyFile: string | undefined; attest: boolean } | undefined;
}
