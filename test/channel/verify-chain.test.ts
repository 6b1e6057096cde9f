import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ChannelEntry, formatEntry, type KnownEntry, parseEntry } from '../../src/channel/entry.ts';
import { readSoakLeft } from '../../src/channel/soak.ts';
import { findBreak } from '../../src/channel/verify-chain.ts';
import { type ChainStep, known, makeChain, of, releaseOf } from './chains.ts';

const version = fc.constantFrom('1.0.0', '1.0.1', '1.0.2');
const anyStep: fc.Arbitrary<ChainStep> = fc.oneof(
  version.map((set) => ({ set })),
  version.map((promote) => ({ promote })),
  fc.constant('rollback' as const),
  fc.constantFrom('stack', 'cluster').map((deliver) => ({ deliver })),
);
const anyChain = fc
  .array(anyStep, { minLength: 2, maxLength: 25 })
  .map(makeChain)
  .filter((chain) => chain.length > 1);

const versions = (chain: KnownEntry[]) => chain.map(({ entry }) => entry.release.version);

it('goes further back with every rollback, past deliveries, and stops at the first release', () => {
  const steps: ChainStep[] = [{ set: '1' }, { set: '2' }, { deliver: 'a' }, { set: '3' }, { deliver: 'b' }];
  const chain = makeChain([...steps, 'rollback', 'rollback', 'rollback']);
  expect(versions(chain)).toEqual(['1', '2', '2', '3', '3', '2', '1']);
  expect(versions(makeChain([...steps, 'rollback', { set: '4' }, 'rollback', 'rollback']))).toEqual([
    '1',
    '2',
    '2',
    '3',
    '3',
    '2',
    '4',
    '2',
    '1',
  ]);
  const [, , , , delivered, back] = chain.map(({ entry }) => entry);
  expect([delivered?.since.entry?.sequence, back?.since.at === back?.at]).toEqual([4, true]);
});

it('accepts every chain that the commands write', () => {
  fc.assert(
    fc.property(anyChain, (chain) => {
      expect(findBreak(chain, of)).toBeUndefined();
    }),
  );
});

/** Ways of changing one entry; the digest is that of the new bytes, as a registry would have it. */
const mutations: Record<string, (entry: ChannelEntry) => ChannelEntry> = {
  version: (entry) => ({ ...entry, release: releaseOf('6.6.6') }),
  digest: (entry) => ({ ...entry, release: { ...entry.release, digest: releaseOf('6.6.6').digest } }),
  author: (entry) => ({ ...entry, by: 'Mallory' }),
  time: (entry) => ({ ...entry, at: '2020-01-01T00:00:00.000Z' }),
  reason: (entry) => ({ ...entry, reason: 'it was like this' }),
  since: (entry) => ({ ...entry, since: { ...entry.since, at: '2020-01-01T00:00:00.000Z' } }),
  channel: (entry) => ({ ...entry, channel: 'canary' }),
  name: (entry) => ({ ...entry, name: 'acme/other' }),
  sequence: (entry) => ({ ...entry, sequence: entry.sequence + 1, previous: releaseOf('x').digest }),
  previous: (entry) => (entry.sequence === 1 ? { ...entry, by: 'x' } : { ...entry, previous: releaseOf('x').digest }),
  back: (entry) => ({ ...entry, back: { sequence: 1, digest: releaseOf('x').digest } }),
};

it('accepts no chain in which an entry below the newest was changed in any way', () => {
  const anyMutation = fc.constantFrom(...Object.values(mutations));
  fc.assert(
    fc.property(anyChain, fc.nat(), anyMutation, (chain, at, mutate) => {
      const index = at % (chain.length - 1);
      const forged = known(mutate(chain[index]!.entry));
      const broken = findBreak(chain.with(index, forged), of);
      expect(broken?.sequence).toBeGreaterThan(index);
      expect(broken?.sequence).toBeLessThanOrEqual(index + 2);
    }),
    { numRuns: 1000 },
  );
});

it('accepts no chain from which entries are missing, or in which they changed places', () => {
  fc.assert(
    fc.property(anyChain, fc.nat(), fc.nat(), (chain, first, second) => {
      const [a, b] = [first % (chain.length - 1), second % chain.length];
      expect(findBreak(chain.toSpliced(a, 1), of)).toMatchObject({ sequence: a + 1 });
      if (a !== b) expect(findBreak(chain.with(a, chain[b]!).with(b, chain[a]!), of)).toBeDefined();
    }),
  );
});

const forgeries: [string, (entry: ChannelEntry, chain: KnownEntry[]) => ChannelEntry, string][] = [
  [
    'that rolls back to what never was',
    (entry) => ({ ...entry, release: releaseOf('6.6.6') }),
    'rolls back to what was not before',
  ],
  [
    'that rolls back further than it says',
    (entry, chain) => ({ ...entry, release: chain[0]!.entry.release }),
    'rolls back to what was not before',
  ],
  ['that hides what was before', (entry) => without(entry, 'back'), 'rolls back to what was not before'],
  [
    'that is older than it says',
    (entry) => ({ ...entry, since: { at: '2020-01-01T00:00:00.000Z' } }),
    'does not say since when it holds',
  ],
  [
    'that moves nowhere',
    (entry, chain) => ({ ...entry, release: chain[2]!.entry.release }),
    'moves the channel to where it was',
  ],
  [
    'that hides a move in a delivery',
    (entry) => ({ ...entry, kind: 'deliver', delivery: { target: 'a', kind: 'b', files: [] } }),
    'records a delivery and moves the channel',
  ],
  [
    'that sets and forgets what was before',
    (entry) => ({ ...entry, kind: 'set', release: releaseOf('6.6.6') }),
    'does not say what was before it',
  ],
];

it.each(forgeries)('refuses a newest entry %s, though its links are right', (_, forge, fault) => {
  const chain = makeChain([{ set: '1' }, { set: '2' }, { set: '3' }, 'rollback']);
  const forged = known(forge(chain[3]!.entry, chain));
  expect(parseEntry(formatEntry(forged.entry), Error).digest).toBe(forged.digest);
  expect(findBreak(chain.with(3, forged), of)).toEqual({ sequence: 4, fault });
});

function without(entry: ChannelEntry, key: 'back'): ChannelEntry {
  const { [key]: _, ...rest } = entry;
  return rest;
}

it('says how long a release has to stay, whose clock ever is ahead', () => {
  const since = '2026-12-01T12:00:00.000Z';
  const at = (text: string) => readSoakLeft(since, 3600, Date.parse(text));
  expect(at('2026-12-01T12:00:00.000Z')).toBe(3600);
  expect(at('2026-12-01T12:59:59.001Z')).toBe(1);
  expect(at('2026-12-01T13:00:00.000Z')).toBe(0);
  expect(at('2026-12-01T11:59:00.000Z')).toBe(3660);
});
