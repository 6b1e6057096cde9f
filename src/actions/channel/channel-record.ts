import type { EntryKind, KnownEntry } from '../../channel/entry.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ChannelContext } from './open-channels.ts';

/** Result of a command that moves a channel. */
export interface ChannelRecord {
  channel: string;
  /** Place such as `HOST/acme/hello`. */
  where: string;
  version: string;
  digest: Digest;
  imageIds: Digest[];
  /** Number and digest of the channel's newest entry. */
  sequence: number;
  entry: Digest;
  kind: EntryKind;
  /** Version that the channel held before. */
  from?: string;
  /** Whether an entry was added; false where the channel held the release already. */
  changed: boolean;
  /** Moving tag that follows. */
  tag?: string;
}

export function describeMove(
  { place }: ChannelContext,
  { digest: entry, entry: { channel, release, sequence, kind } }: KnownEntry,
  { from, changed, tag }: { from: string | undefined; changed: boolean; tag: string | undefined },
): ChannelRecord {
  return {
    ...{ channel, where: place.where, ...release, sequence, entry, kind, changed },
    ...(from !== undefined && { from }),
    ...(tag !== undefined && { tag }),
  };
}
