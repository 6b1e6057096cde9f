import { expect, it } from 'vitest';
import { assertMovingTag, parseReleaseVersion } from '../../../src/actions/image/assert-releasable.ts';

it.each(['1.0.1', '0.0.0', '2.0.0-rc.1', '10.20.30-a-b.7'])('%s is a version to release', (version) => {
  expect(parseReleaseVersion(version)).toBe(version);
});

it.each([
  'v1.0.1',
  '1.0',
  '1',
  '01.0.0',
  '1.0.0+build',
  '1.0.0-rc.1+7',
  ' 1.0.0',
  '1.0.0 ',
  '',
  'latest',
  `1.0.0-${'a'.repeat(128)}`,
])('%j is none', (version) => {
  expect(() => parseReleaseVersion(version)).toThrowError(
    /: a release needs an exact version such as 1\.0\.1 or 2\.0\.0-rc\.1$/,
  );
});

it.each(['latest', 'v1.0.1', '1.0', 'edge_2'])('%s is a tag that may move', (tag) => {
  expect(() => assertMovingTag(tag)).not.toThrow();
});

it.each(['1.0.1', '2.0.0-rc.1'])('%s is none: a release bears it', (tag) => {
  expect(() => assertMovingTag(tag)).toThrowError(/this is how a release is named/);
});

it('production.channel-5 is none: the history of a channel has it', () => {
  expect(() => assertMovingTag('production.channel-5')).toThrowError(
    '--tag production.channel-5: this is how an entry of a channel is named, and its history never changes',
  );
});

it.each(['', 'a b', '.hidden', 'name:tag', 'a'.repeat(129)])('%j is no tag at all', (tag) => {
  expect(() => assertMovingTag(tag)).toThrowError(
    /: not a tag; expected up to 128 letters, digits, "_", "\." and "-"$/,
  );
});
