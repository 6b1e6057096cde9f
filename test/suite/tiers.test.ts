import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alone, thorough } from '../../vitest.config.ts';

const root = join(import.meta.dirname, '../..');
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });

test('a file of the matrix tier stands beside the one of the standard tier that it multiplies', () => {
  const matrix = files.filter((name) => name.endsWith('.matrix.test.ts'));
  expect(matrix.length).toBeGreaterThan(0);
  // `generated-ruby.matrix.test.ts` multiplies `generated.test.ts`.
  const stands = (name: string) =>
    files.includes(name.replace('.matrix', '')) || files.includes(name.replace(/-\w+\.matrix/, ''));
  expect(matrix.filter((name) => !stands(name))).toEqual([]);
});

test('the files that are named in the configuration are there', () => {
  expect([...alone, ...thorough].filter((name) => !existsSync(join(root, name)))).toEqual([]);
});
