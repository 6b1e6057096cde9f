import type { FoundRelease } from '../../store/find-release.ts';
import type { ComparedImage } from './compare-rebuilt.ts';
import type { RebuildRequest } from './rebuild-release.ts';

export interface VerifyRequest extends RebuildRequest {
  /**
   * Reference such as HOST/NAME:VERSION or HOST/NAME@sha256:...; NAME:VERSION or VERSION for a release of this machine.
   */
  reference: string;
  /** Public key file; without it no signature is checked. */
  keyFile: string | undefined;
  /** Whether to build the release again. */
  rebuild: boolean;
}

/** Release that was found, its images ready for comparison, and its commit. */
export interface Verifiable {
  found: FoundRelease;
  images: ComparedImage[];
  commit: string;
}
