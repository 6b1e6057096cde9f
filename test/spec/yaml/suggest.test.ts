import { expect, test } from 'vitest';
import { suggest } from '../../../src/spec/yaml/suggest.ts';

const keys = [
  'gbuild',
  'name',
  'registry',
  'toolchain',
  'env',
  'passEnv',
  'caches',
  'resources',
  'network',
  'tasks',
  'image',
];

test.each([
  ['toolchian', 'toolchain'],
  ['passenv', 'passEnv'],
  ['pass_env', 'passEnv'],
  ['Tasks', 'tasks'],
  ['networks', 'network'],
  ['evn', 'env'],
  ['regis', 'registry'],
])('%s probably means %s', (word, meant) => {
  expect(suggest(word, keys)).toBe(meant);
});

test.each(['xyz', '', 'volumes', 'na', '\u0000', 'x'.repeat(10_000)])('%j is near nothing', (word) => {
  expect(suggest(word, keys)).toBeUndefined();
});

test('the nearest wins, and the first of equals', () => {
  expect(suggest('tset', ['text', 'test', 'rest'])).toBe('test');
  expect(suggest('tesx', ['test', 'text', 'tess'])).toBe('test');
});

test('a word is never suggested for itself', () => {
  expect(suggest('test', ['test'])).toBeUndefined();
});
