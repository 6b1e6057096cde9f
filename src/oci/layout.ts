import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError, GbuildError, messageOf } from '../errors.ts';
import { largestDocument, readWhole } from '../fs/read-bounded.ts';
import { isWriterDead, readTemporaryMark } from '../fs/writer-mark.ts';
import { layoutMarker } from './archive.ts';
import { type Digest, digestOf, hexOf } from './digest.ts';
import { formatCanonical } from './json.ts';
import { assertLayoutPlace, kindOf } from './layout-place.ts';
import { withLock } from './lock-file.ts';
import { annotationKeys, type Descriptor, type Index, mediaTypes } from './spec.ts';
import { moveWhole, writeBeside } from './write-beside.ts';

/**
 * Opens an OCI layout (image-layout.md) as a store, making it where there is nothing or an empty folder. Throws
 * `output-refused` for a folder that holds something else.
 */
export async function openLayout(dir: string): Promise<Layout> {
  await guard(dir, () => prepare(dir));
  return new Layout(dir);
}

/** A layout on disk that any number of processes may write to at once. */
export class Layout {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Whether the blob is there, with this size where one is given. */
  hasBlob(digest: Digest, size?: number): boolean {
    const stat = statSync(this.blobFile(digest), { throwIfNoEntry: false });
    return stat !== undefined && (size === undefined || stat.size === size);
  }

  blobFile(digest: Digest): string {
    return join(this.dir, 'blobs', 'sha256', hexOf(digest));
  }

  /** When the blob was written or last wanted, in milliseconds; undefined for one that is not there. */
  readBlobTime(digest: Digest): number | undefined {
    return statSync(this.blobFile(digest), { throwIfNoEntry: false })?.mtimeMs;
  }

  /** Says that the blob is wanted, as if it had been written now; false when it is not there. */
  async touchBlob(digest: Digest): Promise<boolean> {
    try {
      await using file = await open(this.blobFile(digest), 'r+');
      // To the size it has: the system marks the time (POSIX, ftruncate), and nobody here needs to know it.
      await file.truncate((await file.stat()).size);
      return true;
    } catch {
      return false;
    }
  }

  /** Written beside, flushed, verified, renamed; `store-failed` where the chunks are not what the digest names. */
  async writeBlob(
    digest: Digest,
    size: number,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    if (this.hasBlob(digest, size) && (await this.touchBlob(digest))) return;
    await guard(this.dir, () => writeBeside(this.blobFile(digest), chunks, { digest, size }));
  }

  /**
   * Takes a file in whose bytes are known to be what the digest names: moved where the store is on the same file system, else
   * copied and verified.
   */
  async adoptBlob(digest: Digest, size: number, hostFile: string): Promise<void> {
    if (this.hasBlob(digest, size) && (await this.touchBlob(digest))) return;
    if (await guard(this.dir, () => moveWhole(hostFile, this.blobFile(digest)))) return;
    await this.writeBlob(digest, size, createReadStream(hostFile));
  }

  /** A small blob (manifest, config), verified. */
  async readBlob(digest: Digest): Promise<Buffer> {
    const bytes = await guard(this.dir, async () => readWhole(this.blobFile(digest), largestDocument));
    if (digestOf(bytes) !== digest)
      throw new GbuildError('store-failed', `the blob ${digest} in ${JSON.stringify(this.dir)} is damaged`);
    return bytes;
  }

  async readIndex(): Promise<Index> {
    const text = await guard(this.dir, async () => readWhole(this.#indexFile, largestDocument).toString());
    return parseIndex(text, this.#indexFile);
  }

  /** Names the manifest in the index; one of the same `ref.name` is replaced. */
  async putManifest(descriptor: Descriptor): Promise<void> {
    await this.updateIndex((manifests) => [...manifests.filter((other) => !isSameName(other, descriptor)), descriptor]);
  }

  /**
   * Like putManifest, but a name that is taken stays: answers what stands under the name now. Throws `store-failed` and
   * names nothing where one of the blobs is gone that the manifest needs.
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

  /** Takes the name out of the index; the blobs stay. */
  async removeManifest(refName: string): Promise<void> {
    await this.updateIndex((manifests) => manifests.filter((other) => nameOf(other) !== refName));
  }

  async findManifest(refName: string): Promise<Descriptor | undefined> {
    return (await this.readIndex()).manifests.find((descriptor) => nameOf(descriptor) === refName);
  }

  /** Removes what dead writers left half-written; answers the paths. */
  async sweep(): Promise<string[]> {
    const swept: string[] = [];
    for (const folder of [this.dir, join(this.dir, 'blobs', 'sha256')]) {
      for (const name of await guard(this.dir, () => readdir(folder))) {
        const mark = readTemporaryMark(name);
        if (mark === undefined || !isWriterDead(mark)) continue;
        await rm(join(folder, name), { force: true });
        swept.push(join(folder, name));
      }
    }
    return swept;
  }

  get #indexFile(): string {
    return join(this.dir, 'index.json');
  }

  /** Changes what the index lists while nobody else does; `then` is done before others may, with the new index in place. */
  async updateIndex(
    change: (manifests: Descriptor[]) => Descriptor[] | Promise<Descriptor[]>,
    then: () => void | Promise<void> = () => {},
  ): Promise<void> {
    await guard(this.dir, () =>
      withLock(join(this.dir, 'index.lock'), async () => {
        const index = await this.readIndex();
        const manifests = [...(await change(index.manifests))].sort(compareNames);
        await writeBeside(this.#indexFile, [formatCanonical({ ...index, manifests })]);
        await then();
      }),
    );
  }
}

async function prepare(dir: string): Promise<void> {
  assertLayoutPlace(dir);
  await mkdir(dir, { recursive: true });
  const kind = kindOf(readdirSync(dir));
  await mkdir(join(dir, 'blobs', 'sha256'), { recursive: true });
  if (kind === 'layout') return;
  await withLock(join(dir, 'index.lock'), async () => {
    const empty: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };
    if (!existsSync(join(dir, 'index.json'))) await writeBeside(join(dir, 'index.json'), [formatCanonical(empty)]);
    if (!existsSync(join(dir, 'oci-layout'))) await writeBeside(join(dir, 'oci-layout'), [layoutMarker]);
  });
}

function blobGone(dir: string, digest: Digest): GbuildError {
  return new GbuildError('store-failed', `the blob ${digest} was taken out of ${JSON.stringify(dir)} meanwhile`, {
    suggestions: ['run the same command again'],
    facts: { dir, digest },
  });
}

function parseIndex(text: string, file: string): Index {
  try {
    const index = JSON.parse(text) as Index;
    if (Array.isArray(index.manifests)) return index;
  } catch (cause) {
    throw new GbuildError('store-failed', `${JSON.stringify(file)} is no JSON: ${messageOf(cause)}`, { cause });
  }
  throw new GbuildError('store-failed', `${JSON.stringify(file)} is no OCI index: it has no list of manifests`);
}

function nameOf(descriptor: Descriptor): string {
  return descriptor.annotations?.[annotationKeys.refName] ?? '';
}

/** Two without a name are one where they are the same manifest. */
function isSameName(a: Descriptor, b: Descriptor): boolean {
  return nameOf(a) === nameOf(b) && (nameOf(a) !== '' || a.digest === b.digest);
}

function compareNames(a: Descriptor, b: Descriptor): number {
  const [left, right] = [`${nameOf(a)} ${a.digest}`, `${nameOf(b)} ${b.digest}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What the disk refuses is the store's failure. */
async function guard<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof GbuildError) throw cause;
    throw (
      diskError(cause, dir) ??
      new GbuildError('store-failed', `the store ${JSON.stringify(dir)} cannot be used: ${messageOf(cause)}`, {
        cause,
        facts: { dir },
      })
    );
  }
}
