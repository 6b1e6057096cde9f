import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { readCached, writeCached } from '../../fs/cached-file.ts';
import { largestDocument, readWhole } from '../../fs/read-bounded.ts';
import { type Index, mediaTypes } from '../spec.ts';
import { writeAtomic } from './atomic-write.ts';
import { formatIndexFile, parseIndexFile, recoverIndex } from './layout-index.ts';
import { indexCopy } from './layout-place.ts';

const copyFormat = 'oci-index 1';

export const emptyIndex: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };

/** The index.json of a layout. That of a lasting store is sealed, and has a copy in the same folder. */
export class IndexFile {
  readonly file: string;
  readonly #dir: string;
  readonly #mendBy: string | undefined;

  constructor(dir: string, mendBy: string | undefined) {
    this.file = join(dir, 'index.json');
    this.#dir = dir;
    this.#mendBy = mendBy;
  }

  /** Where it is damaged or gone: what its entries and the copy say. Throws IndexLostError where there is no copy either. */
  async read(): Promise<Index> {
    const text = await readTextIfAny(this.file);
    try {
      return parseIndexFile(text, this.file);
    } catch (thrown) {
      const copy = this.#readCopy();
      if (copy !== undefined) return recoverIndex(text, copy);
      throw new IndexLostError(this.file, messageOf(thrown), this.#mendBy, thrown);
    }
  }

  async write(index: Index): Promise<void> {
    await writeAtomic(this.file, [formatIndexFile(index, this.#mendBy !== undefined)]);
    if (this.#mendBy !== undefined) writeCached(join(this.#dir, indexCopy), copyFormat, JSON.stringify(index));
  }

  /** Whether it and its copy are as they were written. */
  async isWhole(): Promise<boolean> {
    try {
      const index = parseIndexFile(await readTextIfAny(this.file), this.file);
      return this.#mendBy === undefined || isSame(this.#readCopy(), index);
    } catch {
      return false;
    }
  }

  /** Empty for a new layout. A store that lost its index has blobs: what they were is in the copy, or doctor finds it. */
  start(): Index {
    const copy = this.#readCopy();
    if (copy !== undefined) return copy;
    const isNew = this.#mendBy === undefined || readdirSync(join(this.#dir, 'blobs', 'sha256')).length === 0;
    if (isNew) return emptyIndex;
    throw new IndexLostError(this.file, `${JSON.stringify(this.file)} is gone`, this.#mendBy);
  }

  #readCopy(): Index | undefined {
    const text = this.#mendBy === undefined ? undefined : readCached(join(this.#dir, indexCopy), copyFormat);
    return text === undefined ? undefined : parseIndexFile(text, this.file);
  }
}

/** An index.json is damaged or gone, and no copy says what was in it. */
export class IndexLostError extends GbuildError {
  constructor(file: string, message: string, mendBy: string | undefined, cause?: unknown) {
    super('store-failed', message, { suggestions: suggestMending(mendBy), facts: { file }, cause });
  }
}

/** Suggests what to type where a layout is damaged; nothing mends one that is no store. */
export function suggestMending(mendBy: string | undefined): string[] {
  return mendBy === undefined ? [] : [mendBy];
}

/** Empty for one that is gone, and for a folder in its place. */
async function readTextIfAny(file: string): Promise<string> {
  try {
    return readWhole(file, largestDocument).toString();
  } catch (cause) {
    if (['ENOENT', 'EISDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return '';
    throw cause;
  }
}

function isSame(copy: Index | undefined, index: Index): boolean {
  return copy !== undefined && formatIndexFile(copy, false).equals(formatIndexFile(index, false));
}
