import { parse } from 'semver';
import { expect, it } from 'vitest';
import { findHeads, formatEntryTag, isChannelName, parseEntryTag } from '../../src/channel/entry-tag.ts';

it('reads the tags that it writes, and no other tag', () => {
  const tag = formatEntryTag({ channel: 'dark-canary', sequence: 12 });
  expect([tag, parseEntryTag(tag)]).toEqual(['dark-canary.channel-12', { channel: 'dark-canary', sequence: 12 }]);
  const others = [
    '1.0.1',
    'latest',
    'production',
    'production.channel',
    'production.channel-',
    'production.channel-0',
    'production.channel-01',
    'production.channel-5.claim-7',
    'Production.channel-5',
    '-a.channel-5',
    'a-.channel-5',
    '1.0.0-x.channel-5',
    'production.channel-1234567890',
  ];
  expect(others.filter((each) => parseEntryTag(each) !== undefined)).toEqual([]);
});

it('has no tag that could pass for a version', () => {
  for (const channel of ['production', 'v1', 'a0-0'])
    expect(parse(formatEntryTag({ channel, sequence: 1 }), { loose: true })).toBeNull();
  expect(['1', '1.0.0', 'v1.0.0', '', 'a.b', 'A', 'a'.repeat(64)].filter(isChannelName)).toEqual([]);
});

it('finds the highest entry of each channel by number, not by its spelling', () => {
  const tags = ['b.channel-1', 'a.channel-9', 'a.channel-10', 'a.channel-11.claim-1-2-3-4', '1.0.0', 'a'];
  expect([...findHeads(tags)]).toEqual([
    ['b', 1],
    ['a', 10],
  ]);
});
