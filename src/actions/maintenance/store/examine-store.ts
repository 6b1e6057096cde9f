import type { Digest } from '../../../oci/digest.ts';
import { IndexLostError } from '../../../oci/layout/index-file.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { nameOf } from '../../../oci/layout/layout-index.ts';
import { readNamedBlobs } from '../../../oci/layout/read-document.ts';
import { type Descriptor, mediaTypes } from '../../../oci/spec.ts';

/** Blob that a name of the store needs and that is missing or does not match its digest. */
export interface BlobFault {
  digest: Digest;
  kind: 'index' | 'manifest' | 'config' | 'layer';
  /** Releases, tags and bases that need the blob. */
  names: string[];
}

export interface StoreHealth {
  /** `damaged`: the copy is intact; `lost`: the store has blobs without any names. */
  index: 'whole' | 'damaged' | 'lost';
  /** Descriptors that the index names. */
  named: Descriptor[];
  faults: BlobFault[];
  /** Number of blobs that were checked. */
  blobs: number;
}

/**
 * Reads every byte that a name of the store needs. `whole` holds the blobs that are already checked; intact ones are
 * added to it.
 */
export async function examineStore(store: Layout, whole = new Set<Digest>()): Promise<StoreHealth> {
  const named = await readNamedImages(store);
  if (named === undefined) return { index: 'lost', named: [], faults: [], blobs: 0 };
  const examiner = new Examiner(store, whole);
  for (const descriptor of named) await examiner.look(descriptor, nameOf(descriptor));
  const index = (await store.isIndexWhole()) ? 'whole' : 'damaged';
  return { index, named, faults: [...examiner.faults.values()], blobs: examiner.seen.size };
}

/** Reads the names in the index; undefined where the index is lost. */
export async function readNamedImages(store: Layout): Promise<Descriptor[] | undefined> {
  try {
    return (await store.readIndex()).manifests;
  } catch (thrown) {
    if (thrown instanceof IndexLostError) return undefined;
    throw thrown;
  }
}

class Examiner {
  readonly faults = new Map<Digest, BlobFault>();
  readonly seen = new Set<Digest>();
  readonly #store: Layout;
  readonly #whole: Set<Digest>;

  constructor(store: Layout, whole: Set<Digest>) {
    this.#store = store;
    this.#whole = whole;
  }

  /** Checks a blob and, unless it is a damaged manifest, every blob that it needs. */
  async look({ digest, mediaType }: Descriptor, name: string): Promise<void> {
    const isIndex = mediaType === mediaTypes.index;
    if (!(await this.#check(digest, isIndex ? 'index' : 'manifest', name))) return;
    const { manifests, config, layers } = await readNamedBlobs(this.#store, digest);
    for (const each of manifests) await this.look(each, name);
    if (config !== undefined) await this.#check(config.digest, 'config', name);
    for (const layer of layers) await this.#check(layer.digest, 'layer', name);
  }

  async #check(digest: Digest, kind: BlobFault['kind'], name: string): Promise<boolean> {
    this.seen.add(digest);
    const fault = this.faults.get(digest);
    if (fault === undefined && (this.#whole.has(digest) || (await this.#store.isWhole(digest)))) {
      this.#whole.add(digest);
      return true;
    }
    const names = new Set([...(fault?.names ?? []), name]);
    this.faults.set(digest, { digest, kind, names: [...names] });
    return false;
  }
}
