import type { ChannelSpec } from '../../spec/types.ts';
import type { ChannelContext } from './open-channels.ts';
import { type ListedPointer, listPointers } from './read-channel.ts';

/** Channel that gbuild.yml declares, or that holds something. */
export interface ListedChannel {
  channel: string;
  /** Release that it points at; undefined for a channel that holds nothing yet. */
  pointer?: ListedPointer;
  /** Description in gbuild.yml. */
  declared?: ChannelSpec;
}

/** Implements `gbuild channel ls`: in the order of gbuild.yml, then by name. */
export async function listChannels({ place, declared }: ChannelContext): Promise<ListedChannel[]> {
  const pointers = new Map((await listPointers(place)).map((pointer) => [pointer.channel, pointer]));
  const names = new Set([...Object.keys(declared), ...pointers.keys()]);
  return [...names].map((channel) => {
    const [pointer, spec] = [pointers.get(channel), declared[channel]];
    return { channel, ...(pointer && { pointer }), ...(spec && { declared: spec }) };
  });
}
