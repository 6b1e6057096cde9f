import type { ChannelEntry, ChannelRelease, Delivery, EntryKind, EntryLink, KnownEntry } from './entry.ts';

/** Facts of an entry that do not follow from the chain. */
export interface EntryNote {
  name: string;
  channel: string;
  by: string;
  /** Time in RFC 3339, to the millisecond. */
  at: string;
  reason?: string | undefined;
  /** Moving tag that follows the channel. */
  tag?: string | undefined;
  run: string;
}

/** Head of a chain: `entry` is undefined where its bytes are no entry, which only a forced move may follow. */
export type ChainHead = Pick<KnownEntry, 'digest'> & { sequence: number; entry: ChannelEntry | undefined };

/** Head of a chain that can be trusted. */
export type WholeHead = ChainHead & { entry: ChannelEntry };

/** Whether both are the same release: the same version and the same digest. */
export function isSameRelease(a: ChannelRelease, b: ChannelRelease): boolean {
  return a.version === b.version && a.digest === b.digest;
}

/** Makes the entry that puts a release on a channel. A rollback then returns to what the channel holds now. */
export function makeMove(
  head: ChainHead | undefined,
  kind: Exclude<EntryKind, 'rollback' | 'deliver'>,
  release: ChannelRelease,
  note: EntryNote,
): ChannelEntry {
  return point(head, kind, release, head && linkToHolder(head), note);
}

/** Links to the entry that put the release on the channel; undefined where the head is no entry. */
export function linkToHolder(head: WholeHead): EntryLink;
export function linkToHolder(head: ChainHead): EntryLink | undefined;
export function linkToHolder({ digest, sequence, entry }: ChainHead): EntryLink | undefined {
  return entry && (entry.since.entry ?? { sequence, digest });
}

/**
 * Makes the entry that returns to the release of an earlier entry. The next rollback returns to what was before that
 * entry: rolling back twice goes further back, not to and fro.
 */
export function makeRollback(head: ChainHead, target: ChannelEntry, note: EntryNote): ChannelEntry {
  return point(head, 'rollback', target.release, target.back, note);
}

/** Makes the entry that records a delivery; the channel points where it pointed. */
export function makeDelivery(head: WholeHead, delivery: Delivery, note: EntryNote): ChannelEntry {
  const { release, since, back } = head.entry;
  return {
    ...linkTo(head, note),
    ...{ kind: 'deliver', release, delivery },
    since: { at: since.at, entry: linkToHolder(head) },
    ...(back !== undefined && { back }),
  };
}

function point(
  head: ChainHead | undefined,
  kind: EntryKind,
  release: ChannelRelease,
  back: EntryLink | undefined,
  note: EntryNote,
): ChannelEntry {
  const since = { at: note.at };
  return { ...linkTo(head, note), kind, release, since, ...(back !== undefined && { back }) };
}

function linkTo(head: ChainHead | undefined, { name, channel, by, at, reason, tag, run }: EntryNote) {
  return {
    ...{ name, channel, by, at, run },
    sequence: (head?.sequence ?? 0) + 1,
    ...(head !== undefined && { previous: head.digest }),
    ...(reason !== undefined && { reason }),
    ...(tag !== undefined && { tag }),
  };
}
