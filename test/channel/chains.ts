import { type ChannelEntry, type ChannelRelease, formatEntry, type KnownEntry } from '../../src/channel/entry.ts';
import { makeDelivery, makeMove, makeRollback, type WholeHead } from '../../src/channel/next-entry.ts';
import { digestOf } from '../../src/oci/digest.ts';

export const of = { name: 'acme/hello', channel: 'production' };

export function releaseOf(version: string): ChannelRelease {
  return { version, digest: digestOf(Buffer.from(version)), imageIds: [digestOf(Buffer.from(`id ${version}`))] };
}

export function known(entry: ChannelEntry): KnownEntry {
  return { digest: digestOf(formatEntry(entry)), entry };
}

/** Step of a chain: a version to set or promote, a rollback, a delivery to a target. */
export type ChainStep = { set: string } | { promote: string } | 'rollback' | { deliver: string };

/** Makes a chain as the commands do; a step that they would refuse, or that changes nothing, is left out. */
export function makeChain(steps: readonly ChainStep[]): KnownEntry[] {
  const chain: KnownEntry[] = [];
  for (const [index, step] of steps.entries()) {
    const last = chain.at(-1);
    const head: WholeHead | undefined = last && { ...last, sequence: last.entry.sequence };
    const at = new Date(1_700_000_000_000 + index * 60_000).toISOString();
    const next = makeNext(chain, head, step, { ...of, by: 'Ada <ada@example.org>', at, run: `run-${index}` });
    if (next !== undefined) chain.push(known(next));
  }
  return chain;
}

function makeNext(
  chain: readonly KnownEntry[],
  head: WholeHead | undefined,
  step: ChainStep,
  note: Parameters<typeof makeMove>[3],
): ChannelEntry | undefined {
  if (step === 'rollback') {
    const target = chain[(head?.entry.back?.sequence ?? 0) - 1];
    return head && target && makeRollback(head, target.entry, note);
  }
  if ('deliver' in step) return head && makeDelivery(head, { target: step.deliver, kind: 'compose', files: [] }, note);
  const [kind, version] = 'set' in step ? (['set', step.set] as const) : (['promote', step.promote] as const);
  return head?.entry.release.version === version ? undefined : makeMove(head, kind, releaseOf(version), note);
}
