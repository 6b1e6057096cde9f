import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'docs/understands.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:layout|---)/.test(line));

test.each(rows)('%s', (row) => {
  const [, file = '', title = ''] = /\| `(test\/[\w./-]+\.ts)` ([^|]+) \|$/.exec(row) ?? [];
  expect(readFileSync(join(root, file), 'utf8').replaceAll("\\'", "'")).toContain(title);
});
