import { type ChannelEntry, parseEntry } from '../../channel/entry.ts';
import { findHeads, formatEntryTag } from '../../channel/entry-tag.ts';
import { GbuildError } from '../../errors.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import type { Descriptor } from '../../oci/spec.ts';
import { isChannelEntry, releaseNameOf } from '../store/stored-releases.ts';

/**
 * Returns a function that tells which channel of the store needs a release, `name:version`: one that points at it, or
 * that a rollback returns to it. Where a channel cannot be read, it needs every release of its name.
 */
export async function readHeld(
  store: Layout,
  manifests: readonly Descriptor[],
): Promise<(reference: string) => string | undefined> {
  const entries = new Map(manifests.filter(isChannelEntry).map((each) => [releaseNameOf(each), each]));
  const held = new Map<string, string>();
  const unread = new Map<string, string>();
  for (const [name, tags] of Map.groupBy(entries.keys(), cutBefore))
    for (const [channel, sequence] of findHeads([...tags].map((tag) => tag.slice(name.length + 1)))) {
      const read = (number: number) =>
        readEntry(store, entries.get(`${name}:${formatEntryTag({ channel, sequence: number })}`));
      const head = await read(sequence);
      const before = head?.back && (await read(head.back.sequence));
      if (head === undefined || (head.back !== undefined && before === undefined)) unread.set(name, channel);
      for (const each of [before, head])
        if (each !== undefined) held.set(`${name}:${each.release.version}`, each.channel);
    }
  return (reference) => held.get(reference) ?? unread.get(cutBefore(reference));
}

function cutBefore(reference: string): string {
  return reference.slice(0, reference.lastIndexOf(':'));
}

async function readEntry(store: Layout, descriptor: Descriptor | undefined): Promise<ChannelEntry | undefined> {
  if (descriptor === undefined) return undefined;
  try {
    const bytes = await store.readBlob(descriptor.digest);
    return parseEntry(bytes, (fault) => store.damage(fault, descriptor.digest)).entry;
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'store-failed') return undefined;
    throw thrown;
  }
}
