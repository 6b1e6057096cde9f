import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(root, 'src', file), 'utf8') }));
const listWhere = (holds: (text: string) => boolean) =>
  sources.filter(({ text }) => holds(text)).map(({ file }) => file);

/** Files in the rows of a table, by the heading above it. */
function listNamed(heading: string): string[] {
  const [section = ''] = page.slice(page.indexOf(`## ${heading}`) + 3).split('\n## ');
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.flatMap((row) => [...row.matchAll(/`([\w/-]+\.ts)`/g)].map((match) => match[1]!));
}

test('docs/security.md names each file that starts a program of this machine, and no other', () => {
  expect(listNamed('Where gbuild starts a program').sort()).toEqual(listWhere(startsPrograms).sort());
});

test('docs/security.md names each file that opens files of this machine, and no other', () => {
  expect(listNamed('Where gbuild opens a file').sort()).toEqual(listWhere(opensFiles).sort());
});

test.each([
  ["import { spawn } from 'node:child_process';", true],
  ["import type { ChildProcess } from 'node:child_process';", false],
  ["import { type ChildProcess, execFile } from 'node:child_process';", true],
  ["const { execa } = await import('execa');", true],
  ["const { spawn } = await import('node:child_process');", true],
  ["const { spawn } = require('node:child_process');", true],
  ["import * as child from 'child_process';", true],
])('%s starts programs: %s', (text, starts) => {
  expect(startsPrograms(text)).toBe(starts);
});

test.each([
  ["import { readFileSync } from 'node:fs';", true],
  ["import { existsSync, openSync as open } from 'node:fs';", true],
  ["import { readFile } from 'node:fs/promises';", true],
  ["import {\n  existsSync,\n  createReadStream,\n} from 'node:fs';", true],
  ["import * as fs from 'node:fs';", true],
  ["import fs from 'node:fs';", true],
  ["const { readFile } = await import('node:fs/promises');", true],
  ["import { existsSync, type ReadStream } from 'node:fs';", false],
  ["import type { Stats } from 'node:fs';", false],
])('%s opens files: %s', (text, opens) => {
  expect(opensFiles(text)).toBe(opens);
});

/** Values that a source takes from a module of Node's, `*` for all of it. Types start and open nothing. */
function listImports(text: string, module: string): string[] {
  if (new RegExp(`(import|require)\\(\\s*'(node:)?${module}'`).test(text)) return ['*'];
  const imports = [...text.matchAll(new RegExp(`^import (?!type )([^;]*?) from '(?:node:)?${module}';`, 'gm'))];
  return imports.flatMap(([, names]) => {
    if (!names!.startsWith('{')) return ['*'];
    const all = names!.replaceAll(/[{}]/g, '').split(',');
    return all.map((name) => name.trim().split(' as ')[0]!).filter((name) => name !== '' && !name.startsWith('type '));
  });
}

function startsPrograms(text: string): boolean {
  return listImports(text, 'child_process').length > 0 || /(from|import\()\s*'execa'/.test(text) || isIndirect(text);
}

/** Ways around an import. */
function isIndirect(text: string): boolean {
  return /process\.binding|worker_threads.*eval|createRequire/.test(text);
}

const openers =
  /^(\*|open|opendir|openSync|openAsBlob|readFile|createReadStream|createWriteStream|cp|copyFile|link)(Sync)?$/;

function opensFiles(text: string): boolean {
  return ['fs', 'fs/promises'].flatMap((module) => listImports(text, module)).some((name) => openers.test(name));
}
