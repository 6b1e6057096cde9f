import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readCached, writeCached } from '../../fs/cached-file.ts';
import type { AppContext } from './context.ts';

const format = 'parsed 1';

/**
 * Results of parsing and checking files, by the digest of their bytes. The next run reads JSON instead of loading a
 * YAML parser and a schema library, which cost more than everything before the engine's first request. Only valid files
 * are kept, so a mistake is found each time. `version` identifies this gbuild's code: other code may read the same
 * bytes in another way. `shipped` is a folder of results for gbuild's own catalog, so that a machine's first run is
 * fast too.
 */
export class ParseCache {
  readonly #dir: string;
  readonly #version: string | undefined;
  readonly #shipped: string | undefined;

  constructor(dir: string, version: string | undefined, shipped?: string) {
    this.#dir = dir;
    this.#version = version;
    this.#shipped = shipped;
  }

  /** Returns the cached result. Nothing is cached without bytes or a version (gbuild run from its sources). */
  async get<T>(kind: string, bytes: Uint8Array | undefined, parse: () => Promise<T>): Promise<T> {
    if (bytes === undefined || this.#version === undefined) return parse();
    const key = createHash('sha256').update(`${this.#version}\n${kind}\n`).update(bytes).digest('hex');
    const name = `${key}.json`;
    const file = join(this.#dir, name);
    const shipped = this.#shipped === undefined ? undefined : readCached(join(this.#shipped, name), format);
    const kept = shipped ?? readCached(file, format);
    if (kept !== undefined) return (JSON.parse(kept) as { value: T }).value;
    const value = await parse();
    writeCached(file, format, JSON.stringify({ value }));
    return value;
  }
}

export function openParseCache({ host, installDir }: Pick<AppContext, 'host' | 'installDir'>): ParseCache {
  const version = typeof GBUILD_BUILD === 'string' ? GBUILD_BUILD : undefined;
  return new ParseCache(join(host.cacheDir, 'parsed'), version, join(installDir, 'dist/parsed'));
}

/** Digest of the sources, set by the bundler. */
declare const GBUILD_BUILD: string | undefined;
