import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/spec.ts';
import type { Connection } from './auth/connection.ts';
import type { RepositoryContext } from './auth/repository-context.ts';
import { headBlob, readBlob } from './blob/read-blob.ts';
import { type GrowingBlob, type Streamed, streamBlob } from './blob/stream-blob.ts';
import { mountBlob, type Upload } from './blob/upload.ts';
import { type OpenBlob, writeBlob } from './blob/write-blob.ts';
import { pathAt, type RegistryAddress } from './http/address.ts';
import type { RegistrySettings } from './http/settings.ts';
import * as manifests from './manifest/manifests.ts';
import { listReferrers, writeReferrer } from './manifest/referrers.ts';
import { listTags } from './manifest/tags.ts';

/**
 * Repository of a registry (OCI distribution-spec 1.1). Every call throws `registry-denied` where credentials are
 * missing or wrong, `registry-failed` for other failures, and the reason of Stop.ask when that fires.
 */
export class Repository {
  /** Name such as `127.0.0.1:5000/team/app`. */
  readonly name: string;
  /** Address as HOST or HOST:PORT. */
  readonly registry: string;
  readonly path: string;
  readonly #context: RepositoryContext;
  /** Upload sessions that the registry opened instead of mounting. */
  readonly #openUploads = new Map<Digest, Upload>();

  constructor(connection: Connection, address: RegistryAddress, path: string, settings: RegistrySettings) {
    const full = pathAt(address, path);
    this.name = `${address.name}/${full}`;
    this.registry = address.name;
    this.path = full;
    const scope = (actions: string) => [`repository:${full}:${actions}`];
    const scopes = { pull: scope('pull'), push: scope('pull,push'), remove: scope('pull,push,delete') };
    this.#context = { connection, path: full, settings, scopes };
  }

  /** Describes what a tag or digest names, without its bytes; `undefined` when it is missing. */
  headManifest(reference: string): Promise<Descriptor | undefined> {
    return manifests.headManifest(this.#context, reference);
  }

  /** Reads a manifest or index, its bytes checked against the digest; `undefined` when it is missing. */
  readManifest(reference: string): Promise<{ descriptor: Descriptor; bytes: Buffer } | undefined> {
    return manifests.readManifest(this.#context, reference);
  }

  /** Writes the bytes under a tag or their digest. */
  async writeManifest(reference: string, bytes: Buffer, mediaType: string): Promise<Digest> {
    return (await manifests.writeManifest(this.#context, reference, bytes, mediaType)).digest;
  }

  /** Removes a manifest with all its tags; false when it was missing. */
  deleteManifest(digest: Digest): Promise<boolean> {
    return manifests.deleteManifest(this.#context, digest);
  }

  /** Returns the size of a blob in bytes; `undefined` when it is missing. */
  headBlob(digest: Digest): Promise<number | undefined> {
    return headBlob(this.#context, digest);
  }

  /** Reads a blob's bytes, resumed after a broken connection. The last bytes come only when the digest matches. */
  readBlob(descriptor: Pick<Descriptor, 'digest' | 'size'>): AsyncGenerator<Buffer> {
    return readBlob(this.#context, descriptor);
  }

  /**
   * Uploads a blob; `open` makes its bytes from an offset on, and may be called again. `onBytes` gets counts of sent
   * bytes, and a negative number where some must be sent again. `broken` is the session that streamBlob left.
   */
  async writeBlob(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    open: OpenBlob,
    options: { onBytes?: (count: number) => void; broken?: Upload } = {},
  ): Promise<void> {
    const upload = this.#openUploads.get(descriptor.digest);
    this.#openUploads.delete(descriptor.digest);
    await writeBlob(this.#context, descriptor, open, { ...options, ...(upload && { upload }) });
  }

  /** Uploads a blob while it is made, with one try. */
  streamBlob(blob: GrowingBlob): Promise<Streamed> {
    return streamBlob(this.#context, blob);
  }

  /** Mounts a blob from another repository of the registry; false when it must be uploaded. */
  async mountBlob(digest: Digest, fromPath: string): Promise<boolean> {
    const mounted = await mountBlob(this.#context, digest, fromPath);
    if (typeof mounted === 'object') this.#openUploads.set(digest, mounted);
    return mounted === true;
  }

  /** Lists every tag, in the registry's order; none where the repository is missing. */
  listTags(): Promise<string[]> {
    return listTags(this.#context);
  }

  /** Lists the manifests with this digest as their subject. */
  listReferrers(digest: Digest, artifactType?: string): Promise<Descriptor[]> {
    return listReferrers(this.#context, digest, artifactType);
  }

  /** Writes a manifest with a subject under its own digest, so that it is found from the subject. */
  writeReferrer(bytes: Buffer, mediaType: string): Promise<Descriptor> {
    return writeReferrer(this.#context, bytes, mediaType);
  }
}
