import type { ChannelEntry } from '../../channel/entry.ts';
import { formatEntryTag } from '../../channel/entry-tag.ts';
import { makeMove } from '../../channel/next-entry.ts';
import { readSoakLeft } from '../../channel/soak.ts';
import { GbuildError } from '../../errors.ts';
import { formatWait } from '../../reporter/format.ts';
import { assertUnmoved } from './assert-unmoved.ts';
import { type ChannelRecord, describeMove } from './channel-record.ts';
import { followTag } from './follow-tag.ts';
import type { ChannelContext } from './open-channels.ts';
import { readHead } from './read-head.ts';
import { assertChannelName, formatChannelCommand, holdsNothing } from './refusals.ts';
import { assertReason, findHeld, keep } from './set-channel.ts';
import { findTag, readNote, writeEntry } from './write-entry.ts';

export interface Promote {
  channel: string;
  /** Version that the channel before must hold; undefined for whatever it holds. */
  version: string | undefined;
  reason: string | undefined;
}

/**
 * Implements `gbuild channel promote`: takes over what the channel before holds, once it has held it for long enough.
 * What is taken is the digest, and the version must still be that digest.
 */
export async function promote(context: ChannelContext, wanted: Promote): Promise<ChannelRecord> {
  const { place, declared, now } = context;
  const { channel, version, reason } = wanted;
  assertChannelName(context, channel);
  assertReason(reason);
  const { after, soak = 0 } = declared[channel] ?? {};
  if (after === undefined) throw comesAfterNone(context, channel);
  const tags = await place.listTags();
  const [head, source] = await Promise.all([readHead(place, channel, tags), readHead(place, after, tags)]);
  if (source === undefined) throw holdsNothing(context, after);
  const { release, since } = source.entry;
  if (version !== undefined && version !== release.version) throw holdsAnother(context, wanted, source.entry);
  const tag = findTag(context, channel, head);
  const held = findHeld(head, release);
  if (held !== undefined) return keep(context, held, tag);
  const left = readSoakLeft(since.at, soak, now);
  if (left > 0) throw hasToSoak(context, channel, source.entry, { soak, left });
  await assertUnmoved(place, release);
  const entry = makeMove(head, 'promote', release, await readNote(context, channel, head, reason));
  const written = await writeEntry(context, entry, () => assertStill(context, channel, source.entry));
  await followTag(context, written, tag);
  return describeMove(context, written, { from: head?.entry.release.version, changed: true, tag });
}

/** Asserts at the last moment that the channel before was not moved. */
async function assertStill(context: ChannelContext, channel: string, { channel: after, sequence }: ChannelEntry) {
  const next = await context.place.readDigest(formatEntryTag({ channel: after, sequence: sequence + 1 }));
  if (next === undefined) return;
  throw new GbuildError('release-refused', `the channel ${after} was moved while ${channel} was; nothing was changed`, {
    suggestions: [
      formatChannelCommand(context.place, `show ${after}`),
      formatChannelCommand(context.place, `promote ${channel}`),
    ],
    facts: { channel, after },
  });
}

function comesAfterNone(context: ChannelContext, channel: string): GbuildError {
  const isDeclared = context.declared[channel] !== undefined;
  const why = isDeclared
    ? `the channel ${channel} comes after no other one in gbuild.yml: nothing says what to promote`
    : `no gbuild.yml here says which channel of ${context.place.imageName} ${channel} comes after`;
  return new GbuildError('usage', why, {
    suggestions: [
      formatChannelCommand(context.place, `set ${channel} VERSION`),
      'write below deliver.channels in gbuild.yml: after: canary',
    ],
    facts: { channel },
  });
}

function holdsAnother(context: ChannelContext, { channel, version }: Promote, source: ChannelEntry): GbuildError {
  const { channel: after, release, by, at } = source;
  return new GbuildError(
    'release-refused',
    `the channel ${after} holds ${release.version} (${by}, ${at}), not ${version}: only what it holds can be promoted`,
    {
      suggestions: [
        formatChannelCommand(context.place, `promote ${channel} ${release.version}`),
        formatChannelCommand(context.place, `history ${after}`),
      ],
      facts: { channel, after, holds: release.version, wanted: version },
    },
  );
}

function hasToSoak(
  context: ChannelContext,
  channel: string,
  { channel: after, release: { version }, since }: ChannelEntry,
  { soak, left }: { soak: number; left: number },
): GbuildError {
  const wait = formatWait(left);
  return new GbuildError(
    'release-refused',
    `the channel ${after} holds ${version} since ${since.at}, and ${channel} wants it to have held it for ${formatWait(soak)}: ${wait} left`,
    {
      suggestions: [
        formatChannelCommand(context.place, `promote ${channel} ${version}`, `in ${wait}`),
        formatChannelCommand(context.place, `set ${channel} ${version} --force --reason 'why it cannot wait'`),
      ],
      facts: { channel, after, version, since: since.at, soakSeconds: soak, secondsLeft: left },
    },
  );
}
