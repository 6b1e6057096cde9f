import { GbuildError } from '../../errors.ts';
import { type ListedChannel, listChannels } from '../channel/list-channels.ts';
import type { ChannelContext } from '../channel/open-channels.ts';
import { promote } from '../channel/promote.ts';
import { setChannel } from '../channel/set-channel.ts';
import type { ChannelMove } from './report.ts';

/** Lists the channels, each after the one that it comes after. */
export async function listInOrder(context: ChannelContext): Promise<ListedChannel[]> {
  const listed = await listChannels(context);
  const byName = new Map(listed.map((each) => [each.channel, each]));
  const sorted = new Set<ListedChannel>();
  const add = (each: ListedChannel | undefined, passed: ReadonlySet<string>): void => {
    if (each === undefined || sorted.has(each) || passed.has(each.channel)) return;
    const { after } = each.declared ?? {};
    if (after !== undefined) add(byName.get(after), new Set([...passed, each.channel]));
    sorted.add(each);
  };
  for (const each of listed) add(each, new Set());
  return [...sorted];
}

/**
 * Puts the next release on a channel by its rule: directly, or from the channel before once that has held it for long
 * enough. A rule that does not allow it yet is no failure.
 */
export async function moveChannel(
  context: ChannelContext,
  { channel, declared }: ListedChannel,
  { from, next }: { from: string; next: string },
): Promise<ChannelMove> {
  const reason = `rotation: ${next} is ${from} on the base of today`;
  try {
    if (declared?.after === undefined) await setChannel(context, { channel, version: next, force: false, reason });
    else await promote(context, { channel, version: next, reason });
    return { channel, holds: next };
  } catch (thrown) {
    if (!(thrown instanceof GbuildError) || thrown.code !== 'release-refused') throw thrown;
    return { channel, holds: from, waits: { why: thrown.message, suggestions: thrown.suggestions } };
  }
}
