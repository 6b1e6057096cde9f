import type { ChannelEntry } from '../../channel/entry.ts';
import { makeRollback } from '../../channel/next-entry.ts';
import { GbuildError } from '../../errors.ts';
import { assertUnmoved } from './assert-unmoved.ts';
import { type ChannelRecord, describeMove } from './channel-record.ts';
import { followTag } from './follow-tag.ts';
import type { ChannelContext } from './open-channels.ts';
import { readEarlier, readHead } from './read-head.ts';
import { assertChannelName, BrokenChannelError, formatChannelCommand, holdsNothing } from './refusals.ts';
import { assertReason } from './set-channel.ts';
import { findTag, readNote, writeEntry } from './write-entry.ts';

/**
 * Implements `gbuild channel rollback`: returns to the release that the channel held before. Rolling back twice goes
 * further back. Needs the place alone.
 */
export async function rollBack(
  context: ChannelContext,
  { channel, reason }: { channel: string; reason: string | undefined },
): Promise<ChannelRecord> {
  const { place } = context;
  assertChannelName(context, channel);
  assertReason(reason);
  const head = await readHead(place, channel);
  if (head === undefined) throw holdsNothing(context, channel);
  const [target, note] = await Promise.all([readTarget(context, head.entry), readNote(context, channel, head, reason)]);
  await assertUnmoved(place, target.release);
  const entry = makeRollback(head, target, note);
  const written = await writeEntry(context, entry);
  const tag = findTag(context, channel, head);
  await followTag(context, written, tag);
  return describeMove(context, written, { from: head.entry.release.version, changed: true, tag });
}

/** Reads the entry that a rollback returns to. */
async function readTarget(context: ChannelContext, head: ChannelEntry): Promise<ChannelEntry> {
  const { channel, back } = head;
  if (back === undefined) throw nothingBefore(context, head);
  const { digest, entry } = await readEarlier(context.place, channel, back.sequence);
  if (digest === back.digest) return entry;
  throw new BrokenChannelError(
    context.place,
    { channel, sequence: back.sequence },
    'is not what the channel held before',
  );
}

function nothingBefore(context: ChannelContext, { channel, release: { version } }: ChannelEntry): GbuildError {
  return new GbuildError(
    'release-refused',
    `the channel ${channel} of ${context.place.where} held nothing before ${version}: there is nothing to go back to`,
    {
      suggestions: [
        formatChannelCommand(context.place, `history ${channel}`),
        formatChannelCommand(context.place, `set ${channel} VERSION`),
      ],
      facts: { channel, version },
    },
  );
}
