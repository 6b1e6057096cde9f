import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { allowedImports } from '../support/assert/architecture.ts';
import { readPage } from '../support/cli/doc-pages.ts';

const page = readPage('ARCHITECTURE.md');

/** The rows of the table below a header: cells, without the header itself. */
function rowsBelow(header: string): string[][] {
  const rows = page.slice(page.indexOf(header)).split('\n').slice(2);
  const end = rows.findIndex((row) => !row.startsWith('|'));
  return rows.slice(0, end).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('the import table is the one the code is held to', () => {
  const shown = rowsBelow('| room | may import |').map(([room, rooms]) => [room, rooms!.split(', ').filter(Boolean)]);
  expect(shown).toEqual(Object.entries(allowedImports));
});

test('the house has the rooms that are there', () => {
  const src = fileURLToPath(new URL('../../src', import.meta.url));
  const there = readdirSync(src, { withFileTypes: true }).map((entry) => entry.name + (entry.isDirectory() ? '/' : ''));
  const shown = rowsBelow('| room | what is in it |').map(([room]) => room!.replaceAll('`', ''));
  expect(shown.sort()).toEqual(there.sort());
});
