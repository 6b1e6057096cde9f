import type { Engine, EngineVolume } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';

/** Dependency cache: a volume that runs of one user share. */
export interface Cache {
  /** Name in `caches` of a spec or a toolchain. */
  name: string;
  volume: string;
  /** Size in bytes, where the engine reports it. */
  size?: number;
  /** Time in RFC 3339. */
  created?: string;
}

const cacheLabel = 'io.gbuild.cache';

/**
 * Lists the caches on an engine, by name. For the sizes the engine counts files, which takes seconds where there are
 * many.
 */
export async function listCaches(engine: Engine, signal?: AbortSignal): Promise<Cache[]> {
  const [volumes, sizes] = await Promise.all([engine.volumes.list(cacheLabel), engine.volumes.readSizes(signal)]);
  const caches = volumes.map((volume) => cacheOf(volume, sizes.get(volume.name)));
  return caches.sort((left, right) => (left.volume < right.volume ? -1 : 1));
}

function cacheOf({ name, labels, created }: EngineVolume, size: number | undefined): Cache {
  return {
    name: labels[cacheLabel] ?? name,
    volume: name,
    ...(size !== undefined && { size }),
    ...(created !== undefined && { created }),
  };
}

/** Implements `gbuild cache rm`, by cache or volume name. A cache that a container uses stays, and that is an error. */
export async function removeCaches(engine: Engine, names: string[] | 'all'): Promise<Cache[]> {
  const caches = await listCaches(engine);
  const chosen = names === 'all' ? caches : [...new Set(names.flatMap((name) => findCaches(caches, name)))];
  for (const { volume } of chosen) await engine.volumes.remove(volume);
  return chosen;
}

function findCaches(caches: Cache[], name: string): Cache[] {
  const found = caches.filter((cache) => cache.name === name || cache.volume === name);
  if (found.length > 0) return found;
  throw new GbuildError('usage', `there is no cache called ${name}`, {
    suggestions: ['gbuild cache ls'],
    facts: { name, caches: caches.map((cache) => cache.volume) },
  });
}
