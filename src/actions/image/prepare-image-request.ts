import type { RunRequest } from '../run/run.ts';

export interface PrepareImageRequest extends Omit<RunRequest, 'names' | 'args'> {
  /** Undefined for a development image. */
  version: string | undefined;
  build: boolean;
  outputs: string[];
}
