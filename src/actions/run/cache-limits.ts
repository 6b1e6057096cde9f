import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '../../engine/engine.ts';
import { readCached, writeCached } from '../../fs/cached-file.ts';
import type { Host } from '../../host.ts';
import type { TaskPlan } from '../../plan/task-plan.ts';
import { formatBytes } from '../../reporter/format.ts';
import type { Progress } from '../../reporter/progress.ts';
import { readUserConfig } from '../session/user-config.ts';
import { type Cache, listCaches } from './caches.ts';

const format = 'caches-seen 1';

/** Interval in milliseconds. */
const betweenLooks = 24 * 60 * 60 * 1000;

/**
 * Keeps the dependency caches of a run bounded. Once a day it asks the engine for their sizes while the tasks run. A
 * cache larger than the limit (`cacheLimit` of config.yml) is emptied after the tasks. Caches of other users and caches
 * that another run uses stay. The run does not wait for an engine that counts longer.
 */
export class CacheLimit {
  readonly #engine: Engine;
  readonly #host: Host;
  readonly #volumes: string[];
  readonly #done = new AbortController();
  #caches: Cache[] = [];

  constructor(engine: Engine, host: Host, { caches }: Pick<TaskPlan, 'caches'>) {
    this.#engine = engine;
    this.#host = host;
    this.#volumes = caches.map(({ volume }) => volume);
  }

  /** Starts the measurement. An engine that cannot measure its volumes must not fail a run. */
  look(): void {
    this.#measure().catch(() => {});
  }

  /** Measures once a day, by the engine's own clock. */
  async #measure(): Promise<void> {
    if (this.#volumes.length === 0) return;
    const { id, time = '' } = await this.#engine.info();
    const key = createHash('sha256')
      .update([id, ...this.#volumes].join('\n'))
      .digest('hex');
    const marker = join(this.#host.cacheDir, 'caches-seen', key);
    const age = Date.parse(time) - Date.parse(readCached(marker, format) ?? '');
    if (age >= 0 && age < betweenLooks) return;
    writeCached(marker, format, time);
    const caches = await listCaches(this.#engine, this.#done.signal);
    this.#caches = caches.filter(({ volume }) => this.#volumes.includes(volume));
  }

  async apply(progress: Progress): Promise<void> {
    this.#done.abort();
    if (this.#caches.length === 0) return;
    const { cacheLimit } = await readUserConfig(this.#host);
    for (const { name, volume, size = 0 } of this.#caches.filter((cache) => (cache.size ?? 0) > cacheLimit)) {
      try {
        await this.#engine.volumes.remove(volume);
        progress.note(`the cache ${name} had ${formatBytes(size)}, more than ${formatBytes(cacheLimit)}: emptied`);
      } catch {
        // The cache is in use: another day's measurement empties it.
      }
    }
  }
}
