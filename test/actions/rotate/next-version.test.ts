import { expect, test } from 'vitest';
import { nextVersion } from '../../../src/actions/rotate/next-version.ts';

test.each([
  ['1.0.1', [], '1.0.2'],
  ['1.0.1', ['1.0.2', '1.0.3', '1.0.5'], '1.0.4'],
  ['2.0.0-rc.1', ['2.0.0-rc.2'], '2.0.0-rc.3'],
  ['2.0.0-beta', [], '2.0.0-beta.0'],
])('the version after %s, where %j are taken, is %s', (version, taken, next) => {
  expect(nextVersion(version, new Set(taken))).toBe(next);
});
