import type { PublicKey } from '../../attest/signature/key.ts';
import type { ChannelRelease } from '../../channel/entry.ts';
import type { Digest } from '../../oci/digest.ts';

/** Place that has channels of one image, read only. */
export interface ChannelReader {
  /** Name of the image such as `acme/hello`. */
  readonly imageName: string;
  /** Text for messages: `HOST/acme/hello`, or `acme/hello in the store of this machine`. */
  readonly where: string;
  /** Flags by which another command finds the place: ` --name acme/hello`, or nothing. */
  readonly flags: string;
  listTags(): Promise<string[]>;
  /** Reads the manifest under a tag or a digest; undefined where it is missing. */
  read(tagOrDigest: string): Promise<{ digest: Digest; bytes: Buffer } | undefined>;
  /** Reads only the digest under a tag. */
  readDigest(tag: string): Promise<Digest | undefined>;
}

/** Place that has releases of one name, and the channels over them: a repository of a registry, or this machine's store. */
export interface ChannelPlace extends ChannelReader {
  /** Whether moving tags and signatures exist there. */
  readonly isRegistry: boolean;
  /**
   * Names the entry under a tag that is free, and signs it first where a key is set. `check` is called right before.
   * Returns the digest that has the tag now: another one where another caller was first.
   */
  writeOnce(tag: string, bytes: Buffer, options: WriteOnceOptions): Promise<Digest>;
  /** Finds a release by its version. Throws for what is no image. */
  findRelease(version: string): Promise<ChannelRelease | undefined>;
  /** Moves a tag to a manifest of the place. */
  moveTag(tag: string, digest: Digest): Promise<void>;
  /** Explains why each signature of the manifest is not the key's; undefined where one of them is. */
  whyUnsigned(digest: Digest, key: PublicKey): Promise<string[] | undefined>;
  /** Whether there is a signature, by whatever key. */
  isSigned(digest: Digest): Promise<boolean>;
}

export interface WriteOnceOptions {
  /** Time in RFC 3339. */
  at: string;
  check: () => Promise<void>;
}
