import { expect, test } from 'vitest';
import { isInside, staysInside } from '../../../src/sync/tree/safe-path.ts';

test.each(['a', 'a/b', '-rf', '..a', 'a..', '...', 'a b\nc', '.hidden/x'])('%j is inside', (path) => {
  expect(isInside(path)).toBe(true);
});

test.each(['', '/', '/a', '..', '../a', 'a/../b', 'a/..', 'a//b', './a', 'a/./b', 'a/', '.'])('%j is not', (path) => {
  expect(isInside(path)).toBe(false);
});

test.each([
  ['l', 'a'],
  ['l', './a/b'],
  ['d/l', '../a'],
  ['d/e/l', '../../a/b'],
  ['d/l', '..'],
])('a link at %s to %s stays inside', (path, target) => {
  expect(staysInside(path, target)).toBe(true);
});

test.each([
  ['l', '/etc/passwd'],
  ['l', '/workspace/a'],
  ['l', '..'],
  ['l', '../a'],
  ['d/l', '../../a'],
  // Inside by its letters; outside where d/e is a link to the top.
  ['l', 'd/e/../x'],
  ['d/l', '../d/../a'],
  ['l', ''],
])('a link at %s to %j may lead out', (path, target) => {
  expect(staysInside(path, target)).toBe(false);
});
