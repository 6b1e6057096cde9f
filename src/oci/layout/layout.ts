import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError, GbuildError, messageOf } from '../../errors.ts';
import { withLock } from '../../fs/lock-file.ts';
import { largestDocument, readWhole } from '../../fs/read-bounded.ts';
import { isWriterDead, readTemporaryMark } from '../../fs/writer-mark.ts';
import { type Digest, digestOf, hexOf } from '../digest.ts';
import { layoutMarker } from '../image/archive.ts';
import type { Descriptor, Index } from '../spec.ts';
import { moveWhole, writeAtomic } from './atomic-write.ts';
import { emptyIndex, IndexFile, suggestMending } from './index-file.ts';
import { nameOf } from './layout-index.ts';
import { assertLayoutPlace, kindOf } from './layout-place.ts';

export interface LayoutOptions {
  /** Repair command for a permanent store. Its index is sealed, and a copy of it is kept in the same folder. */
  mendBy?: string;
}

/**
 * Opens an OCI layout (image-layout.md) as a store; creates it in a missing or empty folder. Throws `output-refused`
 * for a folder with other content.
 */
export async function openLayout(dir: string, options: LayoutOptions = {}): Promise<Layout> {
  const layout = new Layout(dir, options);
  await layout.prepare();
  return layout;
}

/** Layout on disk that any number of processes may write to at the same time. */
export class Layout {
  readonly dir: string;
  readonly #index: IndexFile;
  readonly #mendBy: string | undefined;

  constructor(dir: string, { mendBy }: LayoutOptions = {}) {
    this.dir = dir;
    this.#index = new IndexFile(dir, mendBy);
    this.#mendBy = mendBy;
  }

  /** Describes a failure of the store, with its repair command. */
  damage(message: string, digest: Digest, cause?: unknown): GbuildError {
    const suggestions = suggestMending(this.#mendBy);
    return new GbuildError('store-failed', message, { suggestions, facts: { digest }, cause });
  }

  /** Creates the missing parts of a layout. */
  async prepare(): Promise<void> {
    await this.#guard(async () => {
      assertLayoutPlace(this.dir);
      await mkdir(this.dir, { recursive: true });
      const kind = kindOf(readdirSync(this.dir));
      await mkdir(join(this.dir, 'blobs', 'sha256'), { recursive: true });
      if (kind === 'layout' && this.#isMarked()) return;
      await withLock(join(this.dir, 'index.lock'), async () => {
        if (!existsSync(this.#index.file)) await this.#index.write(this.#index.start());
        if (!this.#isMarked()) await writeAtomic(join(this.dir, 'oci-layout'), [layoutMarker]);
      });
    });
  }

  /** Whether the blob exists, with this size where it is given. */
  hasBlob(digest: Digest, size?: number): boolean {
    const stat = statSync(this.blobFile(digest), { throwIfNoEntry: false });
    return stat?.isFile() === true && (size === undefined || stat.size === size);
  }

  /** Whether the blob exists and matches its digest: reads all its bytes. */
  async isWhole(digest: Digest): Promise<boolean> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of createReadStream(this.blobFile(digest), { highWaterMark: 1 << 20 })) hash.update(chunk);
    } catch {
      return false;
    }
    return `sha256:${hash.digest('hex')}` === digest;
  }

  blobFile(digest: Digest): string {
    return join(this.dir, 'blobs', 'sha256', hexOf(digest));
  }

  /** Returns the time in milliseconds when the blob was written or last requested; undefined for a missing one. */
  readBlobTime(digest: Digest): number | undefined {
    return statSync(this.blobFile(digest), { throwIfNoEntry: false })?.mtimeMs;
  }

  /** Marks the blob as requested, as if it were written now; false when it is missing. */
  async touchBlob(digest: Digest): Promise<boolean> {
    try {
      await using file = await open(this.blobFile(digest), 'r+');
      // Truncated to its own size: the system then sets the time (POSIX, ftruncate), whatever it is.
      await file.truncate((await file.stat()).size);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Writes a blob atomically and verified; `store-failed` where the chunks do not match the digest. An existing blob is
   * trusted by its size, a small one by its bytes. Returns whether it existed.
   */
  async writeBlob(
    digest: Digest,
    size: number,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<boolean> {
    const isThere = this.hasBlob(digest, size) && (size > smallBlob || (await this.isWhole(digest)));
    if (isThere && (await this.touchBlob(digest))) return true;
    await this.replaceBlob(digest, size, chunks);
    return false;
  }

  /** Writes a blob even where one exists. */
  async replaceBlob(
    digest: Digest,
    size: number,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    await this.#guard(() => writeAtomic(this.blobFile(digest), chunks, { digest, size }));
  }

  /**
   * Adopts a file whose bytes are known to match the digest: moved on the same file system, else copied and verified.
   * An intact existing blob stays.
   */
  async adoptBlob(digest: Digest, size: number, hostFile: string): Promise<void> {
    if ((await this.isWhole(digest)) && (await this.touchBlob(digest))) return;
    if (await this.#guard(() => moveWhole(hostFile, this.blobFile(digest)))) return;
    await this.replaceBlob(digest, size, createReadStream(hostFile));
  }

  /** Reads a small blob (manifest, config), verified. */
  async readBlob(digest: Digest): Promise<Buffer> {
    if (!this.hasBlob(digest)) throw this.damage(`the blob ${digest} is not in ${JSON.stringify(this.dir)}`, digest);
    const bytes = await this.#guard(async () => readWhole(this.blobFile(digest), largestDocument));
    if (digestOf(bytes) === digest) return bytes;
    throw this.damage(`the blob ${digest} in ${JSON.stringify(this.dir)} is damaged`, digest);
  }

  readIndex(): Promise<Index> {
    return this.#guard(() => this.#index.read());
  }

  /** Whether the index, its copy and the marker are unchanged since they were written. */
  async isIndexWhole(): Promise<boolean> {
    return this.#isMarked() && (await this.#index.isWhole());
  }

  /** Names the manifest in the index; one of the same `ref.name` is replaced. */
  async putManifest(descriptor: Descriptor): Promise<void> {
    await this.updateIndex((manifests) => [...manifests.filter((other) => !isSameName(other, descriptor)), descriptor]);
  }

  /**
   * Names the manifest as putManifest does, except that an existing name stays. Returns the manifest of the name now.
   * Throws `store-failed` and names nothing where one of the needed blobs is missing.
   */
  async addManifest(descriptor: Descriptor, needs: readonly Digest[] = []): Promise<Descriptor> {
    let standing = descriptor;
    await this.updateIndex((manifests) => {
      const taken = manifests.find((other) => isSameName(other, descriptor));
      const missing = needs.find((digest) => !this.hasBlob(digest));
      if (missing !== undefined) throw blobGone(this.dir, missing);
      standing = taken ?? descriptor;
      return taken === undefined ? [...manifests, descriptor] : manifests;
    });
    return standing;
  }

  /** Removes the name from the index; the blobs stay. */
  async removeManifest(refName: string): Promise<void> {
    await this.updateIndex((manifests) => manifests.filter((other) => nameOf(other) !== refName));
  }

  async findManifest(refName: string): Promise<Descriptor | undefined> {
    return (await this.readIndex()).manifests.find((descriptor) => nameOf(descriptor) === refName);
  }

  /** Removes incomplete files of dead writers. Returns their paths. */
  async sweep(): Promise<string[]> {
    const swept: string[] = [];
    for (const folder of [this.dir, join(this.dir, 'blobs', 'sha256')]) {
      for (const name of await this.#guard(() => readdir(folder))) {
        const mark = readTemporaryMark(name);
        if (mark === undefined || !isWriterDead(mark)) continue;
        await rm(join(folder, name), { force: true });
        swept.push(join(folder, name));
      }
    }
    return swept;
  }

  /** Changes the index under its lock; `then` runs before the lock is released, with the new index in place. */
  async updateIndex(
    change: (manifests: Descriptor[]) => Descriptor[] | Promise<Descriptor[]>,
    then: () => void | Promise<void> = () => {},
  ): Promise<void> {
    await this.#locked(async () => {
      const index = await this.readIndex();
      await this.#index.write({ ...index, manifests: [...(await change(index.manifests))].sort(compareNames) });
      await then();
    });
  }

  /** Replaces an unreadable index. `make` is called under the lock. */
  async replaceIndex(make: () => Promise<Descriptor[]>): Promise<void> {
    await this.#locked(async () => {
      await this.#index.write({ ...emptyIndex, manifests: (await make()).sort(compareNames) });
    });
  }

  #locked(work: () => Promise<void>): Promise<void> {
    return this.#guard(() => withLock(join(this.dir, 'index.lock'), work));
  }

  /** Whether the marker is right. In a layout outside of gbuild's store, one of another version is accepted. */
  #isMarked(): boolean {
    const file = join(this.dir, 'oci-layout');
    if (this.#mendBy === undefined) return existsSync(file);
    try {
      return readWhole(file).equals(layoutMarker);
    } catch {
      return false;
    }
  }

  /** Turns a disk's refusal into the store's failure. */
  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof GbuildError) throw cause;
      throw notUsable(this.dir, cause);
    }
  }
}

/** Size limit in bytes: larger blobs are layers, and reading one again takes as long as everything else. */
const smallBlob = 1 << 20;

function blobGone(dir: string, digest: Digest): GbuildError {
  return new GbuildError('store-failed', `the blob ${digest} was taken out of ${JSON.stringify(dir)} meanwhile`, {
    suggestions: ['run the same command again'],
    facts: { dir, digest },
  });
}

/** Whether two descriptors have the same name; without a name they must be the same manifest. */
function isSameName(a: Descriptor, b: Descriptor): boolean {
  return nameOf(a) === nameOf(b) && (nameOf(a) !== '' || a.digest === b.digest);
}

function compareNames(a: Descriptor, b: Descriptor): number {
  const [left, right] = [`${nameOf(a)} ${a.digest}`, `${nameOf(b)} ${b.digest}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

function notUsable(dir: string, cause: unknown): GbuildError {
  const ofDisk = diskError(cause, dir);
  if (ofDisk !== undefined) return ofDisk;
  const isRefused = ['EACCES', 'EPERM'].includes((cause as NodeJS.ErrnoException).code ?? '');
  return new GbuildError('store-failed', `the store ${JSON.stringify(dir)} cannot be used: ${messageOf(cause)}`, {
    cause,
    suggestions: isRefused ? [`sudo chown -R "$(id -u)" '${dir.replaceAll("'", "'\\''")}'`] : [],
    facts: { dir },
  });
}
