import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { formatShardScript, sourceMark } from '../../src/plan/shard-script.ts';

const files = [
  'reports/a.xml',
  'reports/deep/b.xml',
  'reports/deep/c.txt',
  'it/x [1].log',
  'it/y.log',
  'plain',
  '-dash.xml',
  'old/o.xml',
];

/** What the script would look for in a folder with these files, all but the old one newer than what was shipped. */
function search(globs: string[]): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-search-'));
  try {
    for (const file of files) {
      mkdirSync(dirname(join(dir, file)), { recursive: true });
      writeFileSync(join(dir, file), '');
    }
    writeFileSync(join(dir, 'shipped'), '');
    for (const file of ['old/o.xml', 'shipped']) utimesSync(join(dir, file), 1, 1);
    const script = formatShardScript({ token: 'T', tasks: [], reports: globs });
    const begin = script.indexOf('list=$(') + 'list=$('.length;
    const line = script.slice(begin, script.indexOf(' | sort -u)', begin)).replaceAll(sourceMark, './shipped');
    return spawnSync('sh', ['-c', line], { cwd: dir, encoding: 'utf8' }).stdout.split('\n').filter(Boolean).sort();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test('looks for what the globs mean, or more, and only for what is newer than what was shipped', () => {
  expect(search(['reports/**/*.xml'])).toEqual(['./reports/a.xml', './reports/deep/b.xml']);
  expect(search(['**/*.xml'])).toEqual(['./-dash.xml', './reports/a.xml', './reports/deep/b.xml']);
  expect(search(['./reports', 'plain', 'none'])).toEqual([
    './plain',
    './reports/a.xml',
    './reports/deep/b.xml',
    './reports/deep/c.txt',
  ]);
  expect(search(['reports/{a,b}.xml', 'it/?.log', 'it/x\\ \\[1\\].log'])).toEqual([
    './it/x [1].log',
    './it/y.log',
    './reports/a.xml',
    './reports/deep/b.xml',
    './reports/deep/c.txt',
  ]);
});
