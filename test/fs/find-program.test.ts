import { chmodSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { findProgram } from '../../src/fs/find-program.ts';

test('a program is found by its absolute path, and never in a folder that is relative to the current one', () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'gbuild-path-'));
  const file = join(dir.path, 'judge');
  writeFileSync(file, '#!/bin/sh\n');
  expect(findProgram('judge', dir.path)).toBeUndefined();
  chmodSync(file, 0o755);
  expect(findProgram('judge', `/nowhere:${dir.path}`)).toBe(file);
  expect(findProgram('judge', `${relative('.', dir.path)}:.:`)).toBeUndefined();
  expect(findProgram('judge', undefined)).toBeUndefined();
});
