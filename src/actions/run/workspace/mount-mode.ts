import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '../../../engine/engine.ts';
import { readCached, writeCached } from '../../../fs/cached-file.ts';
import type { Host } from '../../../host.ts';

/** `mount`: the engine sees the workspace. `sync`: it is sent there. */
export type MountMode = 'mount' | 'sync';

const format = 'workspace-way 1';

/** Milliseconds after which an engine is asked again whether it really does not see the folder. */
const lifetime = 24 * 60 * 60 * 1000;

/**
 * How a workspace comes to an engine: asked once of the engine, remembered for both together. A memory of `mount` that is wrong
 * is found out before anything runs, for every bind is looked at; one of `sync` is right anyway, and forgotten after a day.
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

  /** By the engine's own clock, as all days are that gbuild counts. */
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
