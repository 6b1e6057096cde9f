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

/** File index.json of a layout. A permanent store's index is sealed, and has a copy in the same folder. */
export class IndexFile {
  readonly file: string;
  readonly #dir: string;
  readonly #mendBy: string | undefined;

  constructor(dir: string, mendBy: string | undefined) {
    this.file = join(dir, 'index.json');
    this.#dir = dir;
    this.#mendBy = mendBy;
  }

  /**
   * Reads the index. A damaged or missing one is recovered from its intact entries and the copy. Throws IndexLostError
   * where the copy is missing too.
   */
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

  /** Whether index and copy are unchanged since they were written. */
  async isWhole(): Promise<boolean> {
    try {
      const index = parseIndexFile(await readTextIfAny(this.file), this.file);
      return this.#mendBy === undefined || isSame(this.#readCopy(), index);
    } catch {
      return false;
    }
  }

  /**
   * Returns the first index: empty for a new layout. A store that lost its index has blobs, which the copy names, or
   * doctor finds.
   */
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

/** Failure: an index.json is damaged or missing, and no copy holds its content. */
export class IndexLostError extends GbuildError {
  constructor(file: string, message: string, mendBy: string | undefined, cause?: unknown) {
    super('store-failed', message, { suggestions: suggestMending(mendBy), facts: { file }, cause });
  }
}

/** Suggests the repair command of a damaged layout; only a store has one. */
export function suggestMending(mendBy: string | undefined): string[] {
  return mendBy === undefined ? [] : [mendBy];
}

/** Reads the text; empty for a missing file, and for a folder in its place. */
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
