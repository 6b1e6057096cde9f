import type { Delivery, KnownEntry } from '../../channel/entry.ts';
import { isSameRelease, makeDelivery } from '../../channel/next-entry.ts';
import { GbuildError } from '../../errors.ts';
import type { ChannelContext } from './open-channels.ts';
import { type ChannelPointer, describePointer } from './read-channel.ts';
import { readHead } from './read-head.ts';
import { formatChannelCommand, holdsNothing } from './refusals.ts';
import { LostRaceError, readNote, writeEntry } from './write-entry.ts';

/**
 * Records in a channel's chain that a target got these files, without moving the channel. `delivered` is the pointer
 * that was rendered: a channel that was moved meanwhile is refused with `release-refused`. The same delivery again
 * adds nothing. Deliveries to other targets at the same time are all recorded.
 */
export async function recordDelivery(
  context: ChannelContext,
  delivered: ChannelPointer,
  delivery: Delivery,
  reason?: string,
): Promise<ChannelPointer> {
  const { channel } = delivered;
  for (;;) {
    const head = await readHead(context.place, channel);
    if (head === undefined) throw holdsNothing(context, channel);
    if (!isSameRelease(head.entry.release, delivered)) throw movedMeanwhile(context, delivered, head);
    if (isRecorded(head, delivery)) return describePointer(head);
    const note = { ...(await readNote(context, channel, head, reason)), tag: head.entry.tag };
    try {
      return describePointer(await writeEntry(context, makeDelivery(head, delivery, note)));
    } catch (thrown) {
      // Two deliveries do not contradict each other; a move that came between is seen in the next turn.
      if (!(thrown instanceof LostRaceError)) throw thrown;
    }
  }
}

function isRecorded({ entry }: KnownEntry, delivery: Delivery): boolean {
  const { target, kind, files } = entry.delivery ?? { files: [] };
  const list = (all: Delivery['files']) => all.map(({ path, sha256 }) => `${sha256} ${path}`).join('\n');
  return target === delivery.target && kind === delivery.kind && list(files) === list(delivery.files);
}

function movedMeanwhile(context: ChannelContext, { channel, version }: ChannelPointer, head: KnownEntry): GbuildError {
  const { release, by, sequence } = head.entry;
  return new GbuildError(
    'release-refused',
    `the channel ${channel} of ${context.place.where} was moved to ${release.version} by ${by} (entry ${sequence}) while ${version} was delivered: the delivery is not recorded`,
    {
      suggestions: [formatChannelCommand(context.place, `show ${channel}`), 'deliver again'],
      facts: { channel, delivered: version, holds: release.version },
    },
  );
}
