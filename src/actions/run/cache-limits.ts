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

/** Milliseconds. */
const betweenLooks = 24 * 60 * 60 * 1000;

/**
 * Keeps the dependency caches of a run bounded. Once a day the engine is asked for their sizes while the tasks run; one that is
 * larger than the limit (`cacheLimit` of config.yml) is emptied when they have ended. Caches of others are theirs; one that
 * another run uses stays; and nobody waits for an engine that takes longer to count.
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

  /** An engine that cannot measure its volumes is no reason for a run to fail. */
  look(): void {
    this.#measure().catch(() => {});
  }

  /** Days are counted by the engine's own clock. */
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
        // In use: the look of another day.
      }
    }
  }
}
