import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { actionImports, allowedImports } from '../support/assert/architecture.ts';
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

/** A table of imports as the page shows it. */
function importsBelow(header: string): [string, string[]][] {
  return rowsBelow(header).map(([name, below]) => [name!, below!.split(', ').filter(Boolean)]);
}

test('the import table of the rooms is the one the code is held to', () => {
  expect(importsBelow('| room | may import |')).toEqual(Object.entries(allowedImports));
});

test('the import table of the actions is the one the code is held to', () => {
  expect(importsBelow('| folder of actions | may import |')).toEqual(Object.entries(actionImports));
});

test('the map has the rooms that are there', () => {
  const src = fileURLToPath(new URL('../../src', import.meta.url));
  const there = readdirSync(src, { withFileTypes: true })
    .filter((entry) => entry.name !== 'README.md')
    .map((entry) => entry.name + (entry.isDirectory() ? '/' : ''));
  const shown = rowsBelow('| room | what is in it |').map(([room]) => room!.replaceAll('`', ''));
  expect(shown.sort()).toEqual(there.sort());
});
