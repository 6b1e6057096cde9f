import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '../../../engine/engine.ts';
import { readCached, writeCached } from '../../../fs/cached-file.ts';
import type { Host } from '../../../host.ts';

/** `mount`: the engine sees the workspace. `sync`: the workspace is sent to the engine. */
export type MountMode = 'mount' | 'sync';

const format = 'workspace-way 1';

/** Age in milliseconds after which an engine that does not see the folder is asked again. */
const lifetime = 24 * 60 * 60 * 1000;

/**
 * Recorded mount mode of a workspace on an engine, found by asking the engine once. A wrong `mount` is noticed before
 * anything runs, because every bind is checked. A wrong `sync` works anyway, and expires after a day.
 */
export class MountModeMemory {
  readonly #file: string;
  readonly #now: number;

  private constructor(file: string, now: number) {
    this.#file = file;
    this.#now = now;
  }

  static async open(engine: Engine, host: Host, rootDir: string): Promise<MountModeMemory> {
    const { id, time = '' } = await engine.info();
    const key = createHash('sha256').update(`${id}\n${engine.endpoint.url}\n${rootDir}`).digest('hex');
    return new MountModeMemory(join(host.cacheDir, 'workspace-ways', key), Date.parse(time) || 0);
  }

  /** Reads the mode; its age counts by the engine's own clock. */
  read(): MountMode | undefined {
    const [mode, since] = (readCached(this.#file, format) ?? '').split(' ');
    if (mode === 'mount') return mode;
    const age = this.#now - Number(since);
    return mode === 'sync' && age >= 0 && age < lifetime ? mode : undefined;
  }

  write(mode: MountMode): void {
    writeCached(this.#file, format, `${mode} ${this.#now}`);
  }
}
