import type { PublicKey } from '../../attest/signature/key.ts';
import type { ChannelEntry, ChannelRelease } from '../../channel/entry.ts';
import { findHeads, formatEntryTag } from '../../channel/entry-tag.ts';
import { GbuildError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ChannelPlace, ChannelReader } from './channel-place.ts';
import type { ChannelContext } from './open-channels.ts';
import { readHead } from './read-head.ts';
import { assertChannelName } from './refusals.ts';

/** Release that a channel points at, and since when. */
export interface ChannelPointer extends ChannelRelease {
  /** Name of the image. */
  name: string;
  channel: string;
  /** Time in RFC 3339 since when it points there. */
  since: string;
  /** Number and digest of the newest entry, and who wrote it. */
  sequence: number;
  entry: Digest;
  by: string;
  /** Moving tag that follows. */
  tag?: string;
}

/**
 * Reads what a channel points at; undefined for a channel that holds nothing. With a key the newest entry must be
 * signed with it, and so is all that it links to. Throws `release-refused` for a broken chain, `signature-invalid` for
 * an entry without the key's signature, and `usage` for a name that gbuild.yml does not declare.
 */
export async function readChannel(
  context: ChannelContext,
  channel: string,
  key?: PublicKey,
): Promise<ChannelPointer | undefined> {
  const head = await readHead(context.place, channel);
  if (head === undefined) assertChannelName(context, channel);
  if (head === undefined) return undefined;
  if (key !== undefined) await assertSignedEntry(context.place, head, key);
  return describePointer(head);
}

export function describePointer({ digest, entry }: { digest: Digest; entry: ChannelEntry }): ChannelPointer {
  const { name, channel, release, since, sequence, by, tag } = entry;
  return {
    ...{ name, channel, ...release, since: since.at, sequence, entry: digest, by },
    ...(tag !== undefined && { tag }),
  };
}

/** Channel of a place: what it points at, or why it cannot be trusted. */
export type ListedPointer = ChannelPointer | { channel: string; broken: string };

/** Lists the channels of a place that hold something, by name. */
export async function listPointers(place: ChannelReader, known?: readonly string[]): Promise<ListedPointer[]> {
  const tags = known ?? (await place.listTags());
  const names = [...findHeads(tags).keys()].sort();
  return Promise.all(
    names.map(async (channel): Promise<ListedPointer> => {
      try {
        return describePointer((await readHead(place, channel, tags))!);
      } catch (thrown) {
        if (thrown instanceof GbuildError && thrown.code === 'release-refused')
          return { channel, broken: thrown.message };
        throw thrown;
      }
    }),
  );
}

/** Throws `signature-invalid` unless the key has signed the entry. */
export async function assertSignedEntry(
  place: ChannelPlace,
  { digest, entry }: { digest: Digest; entry: ChannelEntry },
  key: PublicKey,
): Promise<void> {
  const reasons = await place.whyUnsigned(digest, key);
  if (reasons === undefined) return;
  const { channel, sequence } = entry;
  throw new GbuildError(
    'signature-invalid',
    `entry ${sequence} of the channel ${channel} of ${place.where} (${formatEntryTag(entry)}) is not signed with this key: ${reasons[0] ?? 'there is no signature'}`,
    {
      suggestions: [`gbuild channel history ${channel}${place.flags}`],
      facts: { channel, sequence, digest, reasons },
    },
  );
}
