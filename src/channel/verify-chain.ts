import type { ChannelEntry, EntryLink, KnownEntry } from './entry.ts';
import { isSameRelease, linkToHolder } from './next-entry.ts';

/** Place where a chain was changed. */
export interface ChainBreak {
  sequence: number;
  /** Sentence after `entry N`. */
  fault: string;
}

/**
 * Finds the first place where entries, from number 1 on, are not one chain that gbuild's own rules make: a changed,
 * missing, added or exchanged entry. Undefined for a whole chain.
 */
export function findBreak(
  chain: readonly KnownEntry[],
  of: Pick<ChannelEntry, 'name' | 'channel'>,
): ChainBreak | undefined {
  for (const [index, { entry }] of chain.entries()) {
    const fault = findFault(chain, index, of) ?? findStep(entry, chain[index - 1], chain);
    if (fault !== undefined) return { sequence: index + 1, fault };
  }
  return undefined;
}

function findFault(
  chain: readonly KnownEntry[],
  index: number,
  { name, channel }: Pick<ChannelEntry, 'name' | 'channel'>,
): string | undefined {
  const { entry } = chain[index]!;
  if (entry.name !== name || entry.channel !== channel)
    return `belongs to the channel ${entry.channel} of ${entry.name}`;
  if (entry.sequence !== index + 1) return `says that it is entry ${entry.sequence}`;
  return entry.previous === chain[index - 1]?.digest ? undefined : 'does not follow the entry before it';
}

/** Returns why the entry is no step that the rules allow after the one before. */
function findStep(
  entry: ChannelEntry,
  before: KnownEntry | undefined,
  chain: readonly KnownEntry[],
): string | undefined {
  const { kind, since, back, release } = entry;
  const head = before && { ...before, sequence: before.entry.sequence };
  const isKept = head !== undefined && isSameRelease(head.entry.release, release);
  if (kind === 'deliver') {
    const isSame = isKept && since.at === head.entry.since.at && isSameLink(since.entry, linkToHolder(head));
    return isSame && isSameLink(back, head.entry.back) ? undefined : 'records a delivery and moves the channel';
  }
  if (since.entry !== undefined || since.at !== entry.at) return 'does not say since when it holds';
  if (isKept) return 'moves the channel to where it was';
  if (kind !== 'rollback')
    return isSameLink(back, head && linkToHolder(head)) ? undefined : 'does not say what was before it';
  const target = chain[(head?.entry.back?.sequence ?? 0) - 1];
  const isReturn = target && isSameRelease(target.entry.release, release) && isSameLink(back, target.entry.back);
  return isReturn ? undefined : 'rolls back to what was not before';
}

function isSameLink(a: EntryLink | undefined, b: EntryLink | undefined): boolean {
  return a?.sequence === b?.sequence && a?.digest === b?.digest;
}
