import type { ChannelRelease } from '../../channel/entry.ts';
import { GbuildError } from '../../errors.ts';
import { formatDigest } from '../../reporter/format.ts';
import type { ChannelPlace } from './channel-place.ts';
import { formatChannelCommand } from './refusals.ts';

/** Asserts that the version still is the release that the channel held. Throws `release-refused`. */
export async function assertUnmoved(place: ChannelPlace, { version, digest }: ChannelRelease): Promise<void> {
  const found = await place.readDigest(version);
  if (found === digest) return;
  const is = found === undefined ? 'is gone' : `is ${formatDigest(found)} now: somebody moved it`;
  throw new GbuildError(
    'release-refused',
    `the release ${version} of ${place.where}, which was ${formatDigest(digest)} on the channel, ${is}`,
    {
      suggestions: [formatChannelCommand(place, 'ls')],
      facts: { version, expected: digest, found },
    },
  );
}
