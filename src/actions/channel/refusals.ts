import type { ChannelEntry } from '../../channel/entry.ts';
import { formatEntryTag, isChannelName } from '../../channel/entry-tag.ts';
import { GbuildError } from '../../errors.ts';
import { suggest } from '../../spec/yaml/suggest.ts';
import type { ChannelReader } from './channel-place.ts';
import type { ChannelContext } from './open-channels.ts';

/** Failure: an entry of a channel is missing, changed, or not what the entry after it names. */
export class BrokenChannelError extends GbuildError {
  /** Sentence after `entry N`. */
  readonly fault: string;

  constructor(place: ChannelReader, at: Pick<ChannelEntry, 'channel' | 'sequence'>, fault: string) {
    const { channel, sequence } = at;
    super(
      'release-refused',
      `the channel ${channel} of ${place.where} cannot be trusted: entry ${sequence} (${formatEntryTag(at)}) ${fault}`,
      {
        suggestions: [
          formatChannelCommand(place, `history ${channel}`, 'what can be trusted'),
          formatChannelCommand(place, `set ${channel} VERSION --force --reason TEXT`, 'goes on from here'),
        ],
        facts: { channel, sequence, fault },
      },
    );
    this.fault = fault;
  }
}

/** Formats a command of the same channels, to be pasted, with a remark for its reader. */
export function formatChannelCommand({ flags }: Pick<ChannelReader, 'flags'>, words: string, remark = ''): string {
  return `gbuild channel ${words}${flags}${remark === '' ? '' : `   # ${remark}`}`;
}

/** Throws `usage` for what is no name of a channel, and for one that gbuild.yml does not declare. */
export function assertChannelName({ declared, place }: ChannelContext, channel: string): void {
  if (!isChannelName(channel))
    throw new GbuildError(
      'usage',
      `${JSON.stringify(channel)} is not the name of a channel: lower-case letters, digits and -, at most 63`,
      { suggestions: ['gbuild channel set production 1.0.1'], facts: { channel } },
    );
  const names = Object.keys(declared);
  if (names.length === 0 || names.includes(channel)) return;
  const meant = suggest(channel, names);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  throw new GbuildError(
    'usage',
    `gbuild.yml of ${place.imageName} declares no channel ${JSON.stringify(channel)}; the channels are ${names.join(', ')}${hint}`,
    {
      suggestions: [
        formatChannelCommand(place, meant === undefined ? 'ls' : `show ${meant}`),
        `or declare it below deliver.channels in gbuild.yml`,
      ],
      facts: { channel, channels: names },
    },
  );
}

/** Refuses for lack of anything on a channel. */
export function holdsNothing(context: ChannelContext, channel: string): GbuildError {
  return new GbuildError('release-refused', `the channel ${channel} of ${context.place.where} holds nothing yet`, {
    suggestions: [
      formatChannelCommand(context.place, `set ${channel} VERSION`),
      formatChannelCommand(context.place, 'ls'),
    ],
    facts: { channel },
  });
}
