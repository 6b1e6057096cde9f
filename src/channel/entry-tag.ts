/** Tag of an entry: the channel, and the entry's number in its chain. */
export interface EntryTag {
  channel: string;
  sequence: number;
}

const channelGrammar = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const entryTagGrammar = /^([a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)\.channel-([1-9]\d{0,8})$/;

/** Whether the text is the name of a channel: a label of DNS that starts with a letter, so never a version. */
export function isChannelName(text: string): boolean {
  return channelGrammar.test(text);
}

/** Formats the tag `production.channel-5`. No version of semver looks like it. */
export function formatEntryTag({ channel, sequence }: EntryTag): string {
  return `${channel}.channel-${sequence}`;
}

/** Parses the tag of an entry; undefined for any other tag. */
export function parseEntryTag(tag: string): EntryTag | undefined {
  const [, channel, sequence] = entryTagGrammar.exec(tag) ?? [];
  return channel === undefined ? undefined : { channel, sequence: Number(sequence) };
}

/** Finds the highest entry of each channel among tags. */
export function findHeads(tags: readonly string[]): Map<string, number> {
  const heads = new Map<string, number>();
  for (const { channel, sequence } of tags.flatMap((tag) => parseEntryTag(tag) ?? []))
    heads.set(channel, Math.max(sequence, heads.get(channel) ?? 0));
  return heads;
}
