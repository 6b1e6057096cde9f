import { type ChannelEntry, formatEntry, type KnownEntry } from '../../channel/entry.ts';
import { formatEntryTag } from '../../channel/entry-tag.ts';
import type { ChainHead, EntryNote } from '../../channel/next-entry.ts';
import { GbuildError, isRegistryFailure } from '../../errors.ts';
import { digestOf } from '../../oci/digest.ts';
import type { ChannelContext } from './open-channels.ts';
import { readEarlier } from './read-head.ts';
import { formatChannelCommand } from './refusals.ts';

/** Reads who adds an entry, when and why. gbuild.yml says which tag follows; without one the tag stays. */
export async function readNote(
  context: ChannelContext,
  channel: string,
  head: Pick<ChainHead, 'entry'> | undefined,
  reason: string | undefined,
): Promise<EntryNote> {
  const { place, now, run } = context;
  const by = await context.readCaller();
  const at = new Date(now).toISOString();
  return { name: place.imageName, channel, by, at, run, reason, tag: findTag(context, channel, head) };
}

/** Finds the moving tag of a channel. */
export function findTag(
  { declared, place }: ChannelContext,
  channel: string,
  head: Pick<ChainHead, 'entry'> | undefined,
): string | undefined {
  if (!place.isRegistry) return undefined;
  const spec = declared[channel];
  return spec === undefined ? head?.entry?.tag : spec.tag;
}

/**
 * Adds an entry to its chain. Its tag is given once: of two callers the first one decides, and the other one gets an
 * error with what was done meanwhile. `check` is called right before.
 */
export async function writeEntry(
  context: ChannelContext,
  entry: ChannelEntry,
  check: () => Promise<void> = async () => {},
): Promise<KnownEntry> {
  const { place } = context;
  const bytes = formatEntry(entry);
  const digest = digestOf(bytes);
  try {
    const standing = await place.writeOnce(formatEntryTag(entry), bytes, { at: entry.at, check });
    if (standing === digest) return { digest, entry };
  } catch (thrown) {
    if (!isRegistryFailure(thrown)) throw thrown;
    throw explainFailure(context, entry, thrown);
  }
  throw new LostRaceError(context, (await readEarlier(place, entry.channel, entry.sequence)).entry);
}

/** Failure: another caller added the entry first. */
export class LostRaceError extends GbuildError {
  constructor(context: ChannelContext, winner: ChannelEntry) {
    const { channel, sequence, by, at, kind, release } = winner;
    super(
      'release-refused',
      `the channel ${channel} of ${context.place.where} was moved meanwhile: ${by} ${describeKind(winner)} at ${at} (entry ${sequence}); nothing else was changed`,
      {
        suggestions: [formatChannelCommand(context.place, `show ${channel}`)],
        facts: { channel, winner: { sequence, by, at, kind, version: release.version, digest: release.digest } },
      },
    );
  }
}

/** Describes what an entry did, after its author's name: `promoted 1.0.2`. */
export function describeKind({ kind, release: { version }, delivery }: ChannelEntry): string {
  if (kind === 'deliver') return `delivered ${version} to ${delivery?.target}`;
  return kind === 'rollback'
    ? `rolled back to ${version}`
    : kind === 'promote'
      ? `promoted ${version}`
      : `set ${version}`;
}

/** A registry that fails while an entry is written may have taken it. */
function explainFailure(context: ChannelContext, { channel }: ChannelEntry, cause: GbuildError): GbuildError {
  const { message, code, suggestions, facts } = cause;
  return new GbuildError(code, `${message}; the channel ${channel} holds what it held, or what was asked for`, {
    cause,
    suggestions: [...suggestions, formatChannelCommand(context.place, `show ${channel}`, 'which of the two?')],
    facts,
  });
}
