import { type ChannelEntry, type KnownEntry, parseEntry } from '../../channel/entry.ts';
import { findHeads, formatEntryTag } from '../../channel/entry-tag.ts';
import type { ChainHead, WholeHead } from '../../channel/next-entry.ts';
import { type ChainBreak, findBreak } from '../../channel/verify-chain.ts';
import type { Digest } from '../../oci/digest.ts';
import { mapInOrder } from '../../registry/image/map-in-order.ts';
import type { ChannelReader } from './channel-place.ts';
import { BrokenChannelError } from './refusals.ts';

/**
 * Reads the newest entry of a channel; undefined for a channel that never held anything. The list of tags is only a
 * first guess: newer entries are looked for by their tags. The entry before must be the one that the newest names.
 * Throws BrokenChannelError.
 */
export async function readHead(
  place: ChannelReader,
  channel: string,
  tags?: readonly string[],
): Promise<WholeHead | undefined> {
  const found = await findNewest(place, channel, tags);
  return found && assertLinked(place, channel, found);
}

/** Reads the newest entry as it is, for a move that is forced on top of it. */
export async function readHeadAsItIs(place: ChannelReader, channel: string): Promise<ChainHead | undefined> {
  const found = await findNewest(place, channel);
  if (found === undefined) return undefined;
  const { digest, sequence } = found;
  try {
    return { digest, sequence, entry: (await assertLinked(place, channel, found)).entry };
  } catch (thrown) {
    if (thrown instanceof BrokenChannelError) return { digest, sequence, entry: undefined };
    throw thrown;
  }
}

/** Reads an earlier entry. The digest is not known to be right: callers compare what it says. */
export async function readEarlier(place: ChannelReader, channel: string, sequence: number): Promise<KnownEntry> {
  const found = await place.read(formatEntryTag({ channel, sequence }));
  return parseAt(place, { channel, sequence }, found);
}

const readAtOnce = 8;

/** Reads every entry of a channel, the oldest first, and where the chain is broken. */
export async function readChain(
  place: ChannelReader,
  channel: string,
): Promise<{ chain: KnownEntry[]; broken: ChainBreak | undefined }> {
  const newest = await findNewest(place, channel);
  const numbers = Array.from({ length: newest?.sequence ?? 0 }, (_, index) => index + 1);
  const read = await mapInOrder(numbers, readAtOnce, (sequence) => tryEarlier(place, channel, sequence));
  const end = read.findIndex((each) => each instanceof BrokenChannelError);
  const chain = read.slice(0, end === -1 ? read.length : end) as KnownEntry[];
  const broken = findBreak(chain, { name: place.imageName, channel });
  const unread = end === -1 ? undefined : { sequence: end + 1, fault: (read[end] as BrokenChannelError).fault };
  return { chain: broken === undefined ? chain : chain.slice(0, broken.sequence - 1), broken: broken ?? unread };
}

async function tryEarlier(place: ChannelReader, channel: string, sequence: number) {
  try {
    return await readEarlier(place, channel, sequence);
  } catch (thrown) {
    if (thrown instanceof BrokenChannelError) return thrown;
    throw thrown;
  }
}

interface Newest {
  sequence: number;
  digest: Digest;
  bytes: Buffer;
}

async function findNewest(
  place: ChannelReader,
  channel: string,
  tags?: readonly string[],
): Promise<Newest | undefined> {
  const heads = findHeads(tags ?? (await place.listTags()));
  let sequence = heads.get(channel) ?? 0;
  const read = (number: number) =>
    number === 0 ? Promise.resolve(undefined) : place.read(formatEntryTag({ channel, sequence: number }));
  let [found, next] = await Promise.all([read(sequence), read(sequence + 1)]);
  for (; next !== undefined; next = await read(sequence + 1)) {
    sequence += 1;
    found = next;
  }
  if (sequence === 0) return undefined;
  if (found === undefined) throw new BrokenChannelError(place, { channel, sequence }, 'is listed and missing');
  return { sequence, ...found };
}

/** Asserts that an entry is of this place and channel, and follows the one before it. */
async function assertLinked(place: ChannelReader, channel: string, { sequence, ...found }: Newest): Promise<WholeHead> {
  const at = { channel, sequence };
  const known = { ...parseAt(place, at, found), sequence };
  const { previous } = known.entry;
  if (previous === undefined) return known;
  const before = await place.readDigest(formatEntryTag({ channel, sequence: sequence - 1 }));
  if (before === previous) return known;
  const fault = before === undefined ? 'follows one that is missing' : 'does not follow the entry before it';
  throw new BrokenChannelError(place, at, fault);
}

function parseAt(
  place: ChannelReader,
  at: Pick<ChannelEntry, 'channel' | 'sequence'>,
  found: { digest: Digest; bytes: Buffer } | undefined,
): KnownEntry {
  if (found === undefined) throw new BrokenChannelError(place, at, 'is missing');
  const known = parseEntry(found.bytes, (fault) => new BrokenChannelError(place, at, `cannot be used: ${fault}`));
  const { name, channel, sequence } = known.entry;
  if (name !== place.imageName || channel !== at.channel || sequence !== at.sequence)
    throw new BrokenChannelError(place, at, `is entry ${sequence} of ${channel} of ${name}`);
  return known;
}
