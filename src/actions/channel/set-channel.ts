import { parse } from 'semver';
import { type ChannelRelease, longestReason } from '../../channel/entry.ts';
import { type ChainHead, isSameRelease, makeMove, type WholeHead } from '../../channel/next-entry.ts';
import { GbuildError } from '../../errors.ts';
import { quoteWord } from '../../escape.ts';
import { isVersion } from '../store/stored-releases.ts';
import { type ChannelRecord, describeMove } from './channel-record.ts';
import { followTag } from './follow-tag.ts';
import type { ChannelContext } from './open-channels.ts';
import { readHead, readHeadAsItIs } from './read-head.ts';
import { assertChannelName, formatChannelCommand } from './refusals.ts';
import { findTag, readNote, writeEntry } from './write-entry.ts';

export interface SetChannel {
  channel: string;
  version: string;
  /** Whether to pass by the channel that must be first, and a broken chain. */
  force: boolean;
  reason: string | undefined;
}

/**
 * Implements `gbuild channel set`: puts any release on a channel. A channel that comes after another one gets its
 * releases from there, unless somebody forces it and says why.
 */
export async function setChannel(context: ChannelContext, wanted: SetChannel): Promise<ChannelRecord> {
  const { channel, version, force, reason } = wanted;
  assertChannelName(context, channel);
  assertVersion(context, channel, version);
  assertReason(reason, force);
  const [head, release] = await Promise.all([
    force ? readHeadAsItIs(context.place, channel) : readHead(context.place, channel),
    readRelease(context, version),
  ]);
  const tag = findTag(context, channel, head);
  const held = findHeld(head, release);
  if (held !== undefined) return keep(context, held, tag);
  const { after } = context.declared[channel] ?? {};
  if (after !== undefined && !force) throw comesAfter(context, wanted, after);
  const written = await writeEntry(
    context,
    makeMove(head, 'set', release, await readNote(context, channel, head, reason)),
  );
  await followTag(context, written, tag);
  return describeMove(context, written, { from: head?.entry?.release.version, changed: true, tag });
}

/** Returns the head if the channel holds the release already. */
export function findHeld(head: ChainHead | undefined, release: ChannelRelease): WholeHead | undefined {
  const { entry } = head ?? {};
  return head !== undefined && entry !== undefined && isSameRelease(entry.release, release)
    ? { ...head, entry }
    : undefined;
}

/** Adds nothing; a tag that another command left behind is moved. */
export async function keep(
  context: ChannelContext,
  { digest, entry }: Pick<WholeHead, 'digest' | 'entry'>,
  tag: string | undefined,
): Promise<ChannelRecord> {
  await followTag(context, { digest, entry }, tag);
  return describeMove(context, { digest, entry }, { from: entry.release.version, changed: false, tag });
}

/** Throws `usage` for a reason that is missing or too long. */
export function assertReason(reason: string | undefined, force = false): void {
  if (force && !reason)
    throw new GbuildError('usage', '--force needs a reason, which stays in the history: --reason TEXT', {
      suggestions: ['--force --reason "the canary is down"'],
    });
  if ((reason ?? '').length <= longestReason) return;
  throw new GbuildError('usage', `--reason has ${reason?.length} characters; at most ${longestReason} are kept`);
}

async function readRelease(context: ChannelContext, version: string): Promise<ChannelRelease> {
  const { place } = context;
  const release = await place.findRelease(version);
  if (release !== undefined) return release;
  const [registry] = place.where.split('/');
  const suggestions = place.isRegistry
    ? [
        `gbuild push ${place.imageName}:${version} --registry ${registry}   # if it is on this machine`,
        `gbuild releases ${place.imageName} --registry ${registry}`,
      ]
    : [`gbuild releases ${place.imageName}`, `gbuild image --release ${version}`];
  throw new GbuildError('release-refused', `there is no release ${version} of ${place.where}`, {
    suggestions,
    facts: { name: place.imageName, version },
  });
}

function assertVersion(context: ChannelContext, channel: string, version: string): void {
  if (isVersion(version)) return;
  const meant = parse(version)?.version ?? '1.0.1';
  throw new GbuildError(
    'usage',
    `${JSON.stringify(version)} is not an exact version such as 1.0.1: a channel points at what never moves`,
    { suggestions: [formatChannelCommand(context.place, `set ${channel} ${meant}`)], facts: { version } },
  );
}

function comesAfter(context: ChannelContext, { channel, version, reason }: SetChannel, after: string): GbuildError {
  const why = quoteWord(reason ?? 'why it cannot wait');
  return new GbuildError(
    'release-refused',
    `the channel ${channel} comes after ${after}: it gets what ${after} holds, and ${version} was not promoted`,
    {
      suggestions: [
        formatChannelCommand(context.place, `promote ${channel}`),
        formatChannelCommand(context.place, `set ${channel} ${version} --force --reason ${why}`),
      ],
      facts: { channel, after, version },
    },
  );
}
