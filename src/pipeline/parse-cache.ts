import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What parsing and checking a file gave, by the digest of its bytes: the next run reads JSON instead of loading a YAML
 * parser and a schema library, which cost more than all else before the engine is asked. Only what was valid is kept, so a
 * mistake is always found anew. `version` is that of this gbuild's code: another may read the same bytes otherwise.
 */
export class ParseCache {
  readonly #dir: string;
  readonly #version: string | undefined;

  constructor(dir: string, version: string | undefined) {
    this.#dir = dir;
    this.#version = version;
  }

  /** Without bytes or a version (gbuild run from its sources) nothing is kept. */
  async get<T>(kind: string, bytes: Uint8Array | undefined, parse: () => Promise<T>): Promise<T> {
    if (bytes === undefined || this.#version === undefined) return parse();
    const key = createHash('sha256').update(`${this.#version}\n${kind}\n`).update(bytes).digest('hex');
    const file = join(this.#dir, `${key}.json`);
    const kept = readKept(file);
    if (kept !== undefined) return kept.value as T;
    const value = await parse();
    this.#keep(file, value);
    return value;
  }

  /** A cache that cannot be written is slower, not wrong. */
  #keep(file: string, value: unknown): void {
    const beside = `${file}.${process.pid}`;
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      writeFileSync(beside, JSON.stringify({ value }), { mode: 0o600 });
      renameSync(beside, file);
    } catch {
      // Read-only homes are common on CI agents.
    }
  }
}

export function openParseCache(cacheDir: string): ParseCache {
  return new ParseCache(join(cacheDir, 'parsed'), typeof GBUILD_BUILD === 'string' ? GBUILD_BUILD : undefined);
}

/** Set by the bundler: a digest of the sources. */
declare const GBUILD_BUILD: string | undefined;

function readKept(file: string): { value: unknown } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { value: unknown };
  } catch {
    return undefined;
  }
}
