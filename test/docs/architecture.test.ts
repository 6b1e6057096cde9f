import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { actionImports, allowedImports, sharedFiles } from '../support/assert/architecture.ts';
import { listPages, readPage } from '../support/cli/doc-pages.ts';

const page = readPage('ARCHITECTURE.md');
const actionsPage = readPage('src/actions/README.md');

/** The rows of the table below a header: cells, without the header itself. */
function rowsBelow(header: string, text = page): string[][] {
  const rows = text.slice(text.indexOf(header)).split('\n').slice(2);
  const end = rows.findIndex((row) => !row.startsWith('|'));
  return rows.slice(0, end).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What a table of folders says that each may import; rows of files that all share have no other right. */
function importsBelow(header: string, text = page): [string, string[]][] {
  return rowsBelow(header, text).map(([name, , below]) => [nameOf(name!), below!.split(', ').filter(Boolean)]);
}

/** `engine/` and main.ts as the tables of the test name them. */
function nameOf(cell: string): string {
  const path = cell.replaceAll('`', '').replace(/\/$/, '');
  return path === 'main.ts' ? 'main' : path;
}

test('the import table of the rooms is the one the code is held to', () => {
  const shown = importsBelow('| room | what is in it | may import |');
  const [rooms, shared] = [shown.slice(0, -sharedFiles.length), shown.slice(-sharedFiles.length)];
  expect(rooms).toEqual(Object.entries(allowedImports));
  expect(shared).toEqual(sharedFiles.map((file) => [file, []]));
});

test('the import table of the actions is the one the code is held to', () => {
  const header = '| folder of actions | what the user asks for | may import |';
  expect(importsBelow(header, actionsPage)).toEqual(Object.entries(actionImports));
});

test('the map has the rooms that are there', () => {
  const src = fileURLToPath(new URL('../../src', import.meta.url));
  const there = readdirSync(src, { withFileTypes: true })
    .filter((entry) => entry.name !== 'README.md')
    .map((entry) => entry.name + (entry.isDirectory() ? '/' : ''));
  const shown = rowsBelow('| room | what is in it | may import |').map(([room]) => room!.replaceAll('`', ''));
  expect(shown.sort()).toEqual(there.sort());
});

test('the files that the worked examples name are there', () => {
  const text = page.slice(page.indexOf('## How to add'), page.indexOf('## Decisions'));
  const named = [...text.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)].map((match) => match[1]!);
  const places = ['', 'src/', 'src/actions/', 'src/actions/shards/'];
  const isThere = (path: string) =>
    places.some((place) => existsSync(new URL(`../../${place}${path}`, import.meta.url)));
  expect(named.length).toBeGreaterThan(12);
  expect(named.filter((path) => !isThere(path))).toEqual([]);
});

test('the functions that the two walks name are in the code', () => {
  const walks = page.slice(page.indexOf('## `gbuild test`'), page.indexOf('## How to add'));
  const named = [...walks.matchAll(/`([a-z]+[A-Z]\w+)`/g)].map((match) => match[1]!);
  const src = fileURLToPath(new URL('../../src', import.meta.url));
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const code = files.map((file) => readFileSync(`${src}/${file}`, 'utf8')).join('\n');
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((name) => !new RegExp(`function ${name}\\b`).test(code))).toEqual([]);
});

const designPages = listPages().filter((name) => name.startsWith('docs/design/'));

test.each(designPages)('the files and folders that %s names are there', (name) => {
  const named = [...readPage(name).matchAll(/`([\w-]+\/[\w./-]+|[\w-]+\.ts)`/g)].map((match) => match[1]!);
  const paths = named.filter((path) => path.endsWith('.ts') || path.startsWith('src/'));
  const sources = readdirSync(new URL('../../src', import.meta.url), { recursive: true, encoding: 'utf8' });
  const isThere = (path: string) => sources.some((file) => `src/${file}` === path || `/${file}`.endsWith(`/${path}`));
  expect(paths.filter((path) => !isThere(path))).toEqual([]);
});

test('the map links to every page of the design', () => {
  expect(designPages.filter((name) => !page.includes(`](${name})`))).toEqual([]);
  expect(designPages.length).toBeGreaterThan(5);
});
