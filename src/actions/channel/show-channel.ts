import type { PublicKey } from '../../attest/signature/key.ts';
import type { ChannelEntry } from '../../channel/entry.ts';
import type { GbuildError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ChannelContext } from './open-channels.ts';
import { assertSignedEntry, type ChannelPointer, describePointer } from './read-channel.ts';
import { readChain, readEarlier, readHead } from './read-head.ts';
import { assertChannelName, BrokenChannelError, holdsNothing } from './refusals.ts';
import { findTag } from './write-entry.ts';

/** Result of `gbuild channel show`. */
export interface ShownChannel extends ChannelPointer {
  where: string;
  /** Newest entry as it was written. */
  newest: ChannelEntry;
  /** Version that a rollback returns to. */
  before?: string;
  /** Whether the moving tag is where the channel points; undefined without one. */
  isTagRight?: boolean;
  /** Whether the newest entry has a signature, verified where a key was given. */
  signed: boolean;
}

/** Implements `gbuild channel show`. A key must have signed the newest entry. */
export async function showChannel(
  context: ChannelContext,
  channel: string,
  key: PublicKey | undefined,
): Promise<ShownChannel> {
  const { place } = context;
  const head = await readHead(place, channel);
  if (head === undefined) assertChannelName(context, channel);
  if (head === undefined) throw holdsNothing(context, channel);
  if (key !== undefined) await assertSignedEntry(place, head, key);
  const { entry } = head;
  const before = entry.back && (await readEarlier(place, channel, entry.back.sequence));
  const tag = findTag(context, channel, head);
  return {
    ...describePointer(head),
    ...{ where: place.where, newest: entry, signed: key !== undefined || (await place.isSigned(head.digest)) },
    ...(before && { before: before.entry.release.version }),
    ...(tag !== undefined && { tag, isTagRight: (await place.readDigest(tag)) === entry.release.digest }),
  };
}

/** Entry of `gbuild channel history`. */
export interface ChannelHistoryEntry extends ChannelEntry {
  digest: Digest;
  /** Version that the channel held before. */
  from?: string;
  signed: boolean;
}

/**
 * Implements `gbuild channel history`: every entry, the newest first, after the whole chain was verified. A key must
 * have signed each of them. `broken` is the error of a chain that somebody changed; what is below is still told.
 */
export async function readHistory(
  context: ChannelContext,
  channel: string,
  key: PublicKey | undefined,
): Promise<{ entries: ChannelHistoryEntry[]; broken?: GbuildError }> {
  const { place } = context;
  const { chain, broken } = await readChain(place, channel);
  if (chain.length === 0 && broken === undefined) assertChannelName(context, channel);
  if (chain.length === 0 && broken === undefined) throw holdsNothing(context, channel);
  const entries: ChannelHistoryEntry[] = [];
  for (const [index, known] of chain.entries()) {
    if (key !== undefined) await assertSignedEntry(place, known, key);
    const signed = key !== undefined || (await place.isSigned(known.digest));
    const from = chain[index - 1]?.entry.release.version;
    entries.unshift({ ...known.entry, digest: known.digest, signed, ...(from !== undefined && { from }) });
  }
  if (broken === undefined) return { entries };
  return { entries, broken: new BrokenChannelError(place, { channel, sequence: broken.sequence }, broken.fault) };
}
