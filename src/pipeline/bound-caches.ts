import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import type { Host } from '../host.ts';
import { formatBytes } from '../reporter/format.ts';
import type { Progress } from '../reporter/progress.ts';
import { type Cache, listCaches } from './caches.ts';
import { readUserConfig } from './user-config.ts';

/** Milliseconds. */
const betweenLooks = 24 * 60 * 60 * 1000;

/**
 * Keeps dependency caches bounded. Once a day the engine is asked for their sizes while the tasks run; what is larger than the
 * limit (`cacheLimit` of config.yml) is emptied when they have ended. Nobody waits for an engine that takes longer to count,
 * and a cache that another run uses stays.
 */
export class CacheBound {
  readonly #engine: Engine;
  readonly #host: Host;
  readonly #done = new AbortController();
  #caches: Cache[] = [];

  constructor(engine: Engine, host: Host) {
    this.#engine = engine;
    this.#host = host;
  }

  /** Days are counted by the engine's own clock. */
  async look(): Promise<void> {
    const { id, time = '' } = await this.#engine.info();
    const marker = join(this.#host.cacheDir, 'caches-seen', id.replaceAll(/[^\w.-]+/g, '-'));
    const last = existsSync(marker) ? Date.parse(readFileSync(marker, 'utf8')) : 0;
    if (Date.parse(time) - last < betweenLooks) return;
    mkdirSync(dirname(marker), { recursive: true });
    writeFileSync(marker, time);
    this.#caches = await listCaches(this.#engine, this.#done.signal);
  }

  async apply(progress: Progress): Promise<void> {
    this.#done.abort();
    if (this.#caches.length === 0) return;
    const { cacheLimit } = await readUserConfig(this.#host);
    for (const { name, volume, size = 0 } of this.#caches.filter((cache) => (cache.size ?? 0) > cacheLimit)) {
      try {
        await this.#engine.removeVolume(volume);
        progress.note(`the cache ${name} had ${formatBytes(size)}, more than ${formatBytes(cacheLimit)}: emptied`);
      } catch {
        // In use: the look of another day.
      }
    }
  }
}
