import type { KnownEntry } from '../../channel/entry.ts';
import { formatEntryTag } from '../../channel/entry-tag.ts';
import { GbuildError, isRegistryFailure } from '../../errors.ts';
import type { ChannelContext } from './open-channels.ts';
import { readHead } from './read-head.ts';
import { formatChannelCommand } from './refusals.ts';

/**
 * Moves the tag to the release that the channel points at. The last move of the
 * channel counts: a newer entry is looked for before and after, and the tag goes where that one points. A failure leaves a tag that the
 * next command moves.
 */
export async function followTag(context: ChannelContext, moved: KnownEntry, tag: string | undefined): Promise<void> {
  if (tag === undefined) return;
  let newest: KnownEntry = moved;
  try {
    for (;;) {
      newest = (await findNewer(context, newest)) ?? newest;
      await context.place.moveTag(tag, newest.entry.release.digest);
      if ((await findNewer(context, newest)) === undefined) return;
    }
  } catch (thrown) {
    if (!isRegistryFailure(thrown)) throw thrown;
    throw notFollowed(context, newest, tag, thrown);
  }
}

async function findNewer({ place }: ChannelContext, { entry }: KnownEntry): Promise<KnownEntry | undefined> {
  const { channel, sequence } = entry;
  const next = await place.readDigest(formatEntryTag({ channel, sequence: sequence + 1 }));
  return next === undefined ? undefined : readHead(place, channel);
}

function notFollowed(
  context: ChannelContext,
  { entry: { channel, sequence, release } }: KnownEntry,
  tag: string,
  cause: GbuildError,
): GbuildError {
  return new GbuildError(
    cause.code,
    `the channel ${channel} of ${context.place.where} points at ${release.version} (entry ${sequence}), but its tag ${tag} could not be moved there: ${cause.message}`,
    {
      cause,
      suggestions: [
        formatChannelCommand(context.place, `set ${channel} ${release.version}`, 'moves the tag alone'),
        ...cause.suggestions,
      ],
      facts: { channel, sequence, version: release.version, digest: release.digest, tag },
    },
  );
}
