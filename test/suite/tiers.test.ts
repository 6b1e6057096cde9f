import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alone } from '../../vitest.config.ts';

const root = join(import.meta.dirname, '../..');
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });

test('a file of the matrix tier stands beside the one of the standard tier that it multiplies', () => {
  const matrix = files.filter((name) => name.endsWith('.matrix.test.ts'));
  expect(matrix.length).toBeGreaterThan(0);
  expect(matrix.filter((name) => !files.includes(name.replace('.matrix', '')))).toEqual([]);
});

test('the files that run alone are there', () => {
  expect(alone.filter((name) => !existsSync(join(root, name)))).toEqual([]);
});
