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

/** Plans the caches of the file, or those that the toolchain knows to keep; each user of an engine has their own. */
export function planCaches({ spec, toolchain, host }: CacheInput & { host: Host }): PlannedCache[] {
  const caches = spec.caches === 'auto' ? toolchain.caches : spec.caches;
  return caches.map(({ name, path }) => ({ name, volume: `gbuild-cache-${name}-${host.uid}`, containerDir: path }));
}

/** Variables that tell the tools where their caches are. */
export function cacheEnvironment({ spec, toolchain }: CacheInput): Record<string, string> {
  const caches = spec.caches === 'auto' ? toolchain.caches : spec.caches;
  return Object.assign({}, ...caches.map((cache) => cache.env ?? {}));
}
