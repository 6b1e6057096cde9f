import { expect, test } from 'vitest';
import { parseDuration, parseMemory } from '../../../src/spec/schema/units.ts';

test.each([
  ['90s', 90],
  ['10m', 600],
  ['1h30m', 5400],
  ['1h30m15s', 5415],
  ['1.5h', 5400],
  ['0.5s', 0.5],
])('the duration %s is %d seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each(['', '10', 's', '1s1m', '1 m', '1d', '-1s', '1ms', '1e3s', '.5s'])('%j is not a duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  ['512m', 536_870_912],
  ['2g', 2_147_483_648],
  ['2GiB', 2_147_483_648],
  ['1.5 GB', 1_610_612_736],
  ['1t', 1_099_511_627_776],
  ['64k', 65_536],
])('the size %s is %d bytes', (text, bytes) => {
  expect(parseMemory(text)).toBe(bytes);
});

test.each(['', '512', 'm', '1x', '1 2m', '-1m', '1mm'])('%j is no size', (text) => {
  expect(parseMemory(text)).toBeUndefined();
});
