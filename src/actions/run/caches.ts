import type { Engine, EngineVolume } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';

/** A dependency cache: a volume that runs of one user share. */
export interface Cache {
  /** As `caches` of a spec or a toolchain calls it. */
  name: string;
  volume: string;
  /** Bytes, where the engine says. */
  size?: number;
  /** RFC 3339. */
  created?: string;
}

const cacheLabel = 'io.gbuild.cache';

/** The caches on an engine, by name. Sizes make the engine count files: seconds where there are many. */
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

/** The story of `gbuild cache rm`: by cache or volume name; one that a container uses stays, and that is an error. */
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
