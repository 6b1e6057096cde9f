import type { FoundRelease } from '../../store/find-release.ts';
import type { ComparedImage } from './compare-rebuilt.ts';
import type { RebuildRequest } from './rebuild-release.ts';

export interface VerifyRequest extends RebuildRequest {
  /** HOST/NAME:VERSION or HOST/NAME@sha256:...; NAME:VERSION or VERSION for one that was released on this machine. */
  reference: string;
  /** A public key; without one nobody is asked who says so. */
  keyFile: string | undefined;
  /** Whether to build it again. */
  rebuild: boolean;
}

/** A release that was found, its images ready to be compared, and the commit that it was built from. */
export interface Verifiable {
  found: FoundRelease;
  images: ComparedImage[];
  commit: string;
}
