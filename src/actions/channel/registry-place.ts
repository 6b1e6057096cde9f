import type { PublicKey } from '../../attest/signature/key.ts';
import { type ChannelRelease, entryConfig, entryConfigBytes } from '../../channel/entry.ts';
import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { type Descriptor, mediaTypes } from '../../oci/spec.ts';
import { nameVersion } from '../../registry/image/claim-version.ts';
import { pushBytes } from '../../registry/image/push-image.ts';
import type { Repository } from '../../registry/repository.ts';
import type { Signing } from '../release/attest/signing-key.ts';
import { findRelease } from '../store/find-release.ts';
import type { ChannelPlace, ChannelReader, WriteOnceOptions } from './channel-place.ts';

export interface RegistryPlaceOptions {
  /** Path of the repository such as `acme/hello`. */
  imageName: string;
  /** Flags by which another command finds the place. */
  flags: string;
  stop: Stop;
  /** Word that no other claim uses: letters, digits and `-`. */
  claimant: string;
  /** Reads the key to sign with; called for the first entry that is written. */
  readSigning: () => Promise<Signing>;
  onWait: (text: string) => void;
}

/** Channels in a repository of a registry, read only. */
export class RegistryReader implements ChannelReader {
  readonly imageName: string;
  readonly where: string;
  readonly flags: string;
  readonly #repository: Repository;

  constructor(repository: Repository, { imageName, flags }: Pick<RegistryPlaceOptions, 'imageName' | 'flags'>) {
    this.imageName = imageName;
    this.where = repository.name;
    this.flags = flags;
    this.#repository = repository;
  }

  listTags(): Promise<string[]> {
    return this.#repository.listTags();
  }

  async read(tagOrDigest: string): Promise<{ digest: Digest; bytes: Buffer } | undefined> {
    const found = await this.#repository.readManifest(tagOrDigest);
    return found && { digest: found.descriptor.digest, bytes: found.bytes };
  }

  async readDigest(tag: string): Promise<Digest | undefined> {
    return (await this.#repository.headManifest(tag))?.digest;
  }
}

/** Channels in the releases' own repository of a registry. An entry is named once, as versions are. */
export class RegistryPlace extends RegistryReader implements ChannelPlace {
  readonly isRegistry = true;
  readonly #repository: Repository;
  readonly #options: RegistryPlaceOptions;

  constructor(repository: Repository, options: RegistryPlaceOptions) {
    super(repository, options);
    this.#repository = repository;
    this.#options = options;
  }

  async writeOnce(tag: string, bytes: Buffer, { at, check }: WriteOnceOptions): Promise<Digest> {
    const { stop, claimant, readSigning, onWait } = this.#options;
    const [repository, digest] = [this.#repository, digestOf(bytes)];
    const { key, bundles = false } = await readSigning();
    // The flag of a claim has the same empty blob, so an entry without a signature needs no question for it.
    if (key !== undefined) {
      await pushBytes(repository, entryConfigBytes, entryConfig);
      const { signManifest } = await import('../release/attest/attach-attestations.ts');
      await repository.writeManifest(digest, bytes, mediaTypes.manifest);
      await signManifest({ repository, subject: describe(digest, bytes), created: at, key, bundles });
    }
    const claim = { version: tag, digest, claimant, signal: stop.ask, onWait };
    return nameVersion(repository, claim, async () => {
      await check();
      await repository.writeManifest(tag, bytes, mediaTypes.manifest);
    });
  }

  async findRelease(version: string): Promise<ChannelRelease | undefined> {
    const found = await findRelease({ name: this.imageName, version, repository: this.#repository });
    const imageIds = found?.images.map(({ manifest }) => manifest.config.digest) ?? [];
    return found && { version, digest: found.descriptor.digest, imageIds };
  }

  async moveTag(tag: string, digest: Digest): Promise<void> {
    if ((await this.readDigest(tag)) === digest) return;
    const found = await this.#repository.readManifest(digest);
    if (found === undefined)
      throw new GbuildError('registry-failed', `${this.where}@${digest} is missing`, { facts: { digest } });
    await this.#repository.writeManifest(tag, found.bytes, found.descriptor.mediaType);
  }

  async whyUnsigned(digest: Digest, key: PublicKey): Promise<string[] | undefined> {
    const { whyNotSigned } = await import('../release/attest/check-attestations.ts');
    const descriptor = { mediaType: mediaTypes.manifest, digest, size: 0 };
    return whyNotSigned({ repository: this.#repository, descriptor }, key);
  }

  async isSigned(digest: Digest): Promise<boolean> {
    const { attachmentTypes } = await import('../../attest/attachments.ts');
    return (await this.#repository.listReferrers(digest, attachmentTypes.signature)).length > 0;
  }
}

function describe(digest: Digest, bytes: Buffer): Descriptor {
  return { mediaType: mediaTypes.manifest, digest, size: bytes.length };
}
