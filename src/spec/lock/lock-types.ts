import type { Digest } from '../../oci/digest.ts';
import type { OptionValue, PlatformName } from '../types.ts';

/** Resolution of a range in the spec: the same bytes for a laptop and a CI agent. */
export interface Lock {
  lock: 1;
  toolchain: LockedToolchain;
}

export interface LockedToolchain {
  request: string;
  name: string;
  /** Exact. */
  version: string;
  options?: Record<string, OptionValue>;
  recipe: Digest;
  /** HOST or HOST:PORT where the images can be had. */
  registry?: string;
  platforms: Record<PlatformName, LockedPlatform>;
}

/** Image ids, and what is in the images. */
export interface LockedPlatform {
  build: string;
  runtime?: string;
  /** The root both stand on. */
  base?: string;
  /** Where they come from: `packages` where they were made of Debian's, else the reference that was pulled. */
  source?: string;
  /** Versions of the tools found inside. */
  tools?: Record<string, string>;
  /** Digest of the list of Debian packages of the image to build in, `name=version` by lines. */
  packages?: Digest;
  /** Debian packages of the image to ship on, by name. */
  runtimePackages?: Record<string, string>;
}
