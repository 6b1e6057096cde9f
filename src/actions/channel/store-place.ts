import { type ChannelRelease, entryArtifactType, entryConfig, entryConfigBytes } from '../../channel/entry.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import { annotationKeys, mediaTypes } from '../../oci/spec.ts';
import { findRelease } from '../store/find-release.ts';
import { releaseNameOf } from '../store/stored-releases.ts';
import type { ChannelPlace, WriteOnceOptions } from './channel-place.ts';

/** Channels in this machine's store. Its lock decides who names an entry; nothing there is signed. */
export class StorePlace implements ChannelPlace {
  readonly imageName: string;
  readonly where: string;
  readonly isRegistry = false;
  readonly flags: string;
  readonly #store: Layout;

  constructor(store: Layout, imageName: string, flags = '') {
    this.flags = flags;
    this.imageName = imageName;
    this.where = `${imageName} in the store of this machine`;
    this.#store = store;
  }

  async listTags(): Promise<string[]> {
    const prefix = `${this.imageName}:`;
    const names = (await this.#store.readIndex()).manifests.map(releaseNameOf);
    return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  async read(tag: string): Promise<{ digest: Digest; bytes: Buffer } | undefined> {
    const digest = await this.readDigest(tag);
    return digest && { digest, bytes: await this.#store.readBlob(digest) };
  }

  async readDigest(tag: string): Promise<Digest | undefined> {
    return (await this.#store.findManifest(this.#nameOf(tag)))?.digest;
  }

  async writeOnce(tag: string, bytes: Buffer, { check }: WriteOnceOptions): Promise<Digest> {
    const digest = digestOf(bytes);
    await this.#store.writeBlob(entryConfig.digest, entryConfig.size, [entryConfigBytes]);
    await this.#store.writeBlob(digest, bytes.length, [bytes]);
    await check();
    const annotations = { [annotationKeys.refName]: this.#nameOf(tag) };
    const descriptor = {
      ...{ mediaType: mediaTypes.manifest, digest, size: bytes.length },
      ...{ artifactType: entryArtifactType, annotations },
    };
    return (await this.#store.addManifest(descriptor, [entryConfig.digest, digest])).digest;
  }

  async findRelease(version: string): Promise<ChannelRelease | undefined> {
    const found = await findRelease({ name: this.imageName, version, store: this.#store });
    const imageIds = found?.images.map(({ manifest }) => manifest.config.digest) ?? [];
    return found && { version, digest: found.descriptor.digest, imageIds };
  }

  async moveTag(): Promise<void> {}

  async whyUnsigned(): Promise<string[]> {
    return ['the store of this machine has no signatures'];
  }

  async isSigned(): Promise<boolean> {
    return false;
  }

  #nameOf(tag: string): string {
    return `${this.imageName}:${tag}`;
  }
}
