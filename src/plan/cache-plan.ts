import type { Host } from '../host.ts';
import type { Spec } from '../spec/types.ts';
import type { ResolvedToolchain } from '../toolchain/resolve/resolve.ts';

export interface PlannedCache {
  name: string;
  volume: string;
  containerDir: string;
}

interface CacheInput {
  spec: Spec;
  toolchain: ResolvedToolchain;
}

/** Plans the caches of the spec, or those of the toolchain; each user of an engine has their own. */
export function planCaches({ spec, toolchain, host }: CacheInput & { host: Host }): PlannedCache[] {
  const caches = spec.caches === 'auto' ? toolchain.caches : spec.caches;
  return caches.map(({ name, path }) => ({ name, volume: `gbuild-cache-${name}-${host.uid}`, containerDir: path }));
}

/** Returns the variables with the caches' paths for the tools. */
export function cacheEnvironment({ spec, toolchain }: CacheInput): Record<string, string> {
  const caches = spec.caches === 'auto' ? toolchain.caches : spec.caches;
  return Object.assign({}, ...caches.map((cache) => cache.env ?? {}));
}
