import { expect, test } from 'vitest';
import { nameOfPlatform, parsePlatform, suggestPlatform } from '../../src/oci/platform.ts';

test.each([
  ['linux/amd64', 'linux/amd64'],
  ['linux/amd64/v1', 'linux/amd64'],
  ['linux/amd64/v3', 'linux/amd64/v3'],
  ['linux/arm64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/arm/v6', 'linux/arm/v6'],
  ['linux/s390x', 'linux/s390x'],
])('%s is always spelt %s', (text, name) => {
  expect(parsePlatform(text)).toBe(name);
  expect(parsePlatform(name)).toBe(name);
});

test.each([
  '',
  'linux',
  'linux/',
  'amd64',
  'linux/x86_64',
  'linux/amd64/',
  'linux/amd64/v9',
  'linux/arm64/v7',
  'linux/s390x/v1',
  'linux/arm64/v8/x',
  'windows/amd64',
  'Linux/amd64',
  'linux/toString',
])('%j is no platform of a Linux image', (text) => {
  expect(parsePlatform(text)).toBeUndefined();
});

test('what other tools call an architecture is understood well enough to say what was meant', () => {
  const texts = ['linux/x86_64', 'arm64', 'Linux/AArch64', 'linux/x64', 'amd64/v3', 'linux/sparc', 'toString'];
  expect(texts.map(suggestPlatform)).toEqual([
    'linux/amd64',
    'linux/arm64',
    'linux/arm64',
    'linux/amd64',
    'linux/amd64/v3',
    undefined,
    undefined,
  ]);
});

test('an image of another system keeps the name that it gives itself', () => {
  expect(nameOfPlatform({ os: 'windows', architecture: 'amd64' })).toBe('windows/amd64');
});
