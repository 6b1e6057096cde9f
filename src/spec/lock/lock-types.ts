import type { Digest } from '../../oci/digest.ts';
import type { OptionValue, PlatformName } from '../types.ts';

/** Resolution of a range in the spec: the same images for a laptop and a CI agent. */
export interface Lock {
  lock: 1;
  toolchain: LockedToolchain;
}

export interface LockedToolchain {
  request: string;
  name: string;
  /** Exact version. */
  version: string;
  options?: Record<string, OptionValue>;
  recipe: Digest;
  /** Registry that has the images, as HOST or HOST:PORT. */
  registry?: string;
  platforms: Record<PlatformName, LockedPlatform>;
}

/** Image ids, and the contents of the images. */
export interface LockedPlatform {
  build: string;
  runtime?: string;
  /** Base image below both. */
  base?: string;
  /** Origin of the images: `packages` where they were made of Debian's, else the pulled reference. */
  source?: string;
  /** Versions of the tools found in the image. */
  tools?: Record<string, string>;
  /** Digest of the build image's list of Debian packages, `name=version` by lines. */
  packages?: Digest;
  /** Debian packages of the runtime image, by name. */
  runtimePackages?: Record<string, string>;
}
