import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { mergeReports } from '../../../src/actions/shards/merge-reports.ts';
import { silentProgress } from '../../../src/reporter/progress.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-reports-'));
const rootDir = join(dir, 'workspace');
afterAll(() => rmSync(dir, { recursive: true }));
beforeEach(() => {
  rmSync(dir, { recursive: true });
  mkdirSync(rootDir, { recursive: true });
});

function writeAll(base: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  }
  return base;
}

const warnings: string[] = [];
const land = (...shards: Record<string, string>[]) =>
  mergeReports(
    rootDir,
    shards.map((files, at) => {
      const own = join(dir, `shard-${at + 1}`);
      mkdirSync(own);
      return { number: at + 1, dir: writeAll(own, files) };
    }),
    { ...silentProgress, warn: (text) => void warnings.push(text) },
  );
const read = (path: string) => readFileSync(join(rootDir, path), 'utf8');

it('makes one of JUnit reports of a name, keeps others apart, and those alone that one shard has', async () => {
  const suite = (name: string) => `<testsuite name="${name}"><testcase classname="${name}" time="1"/></testsuite>`;
  expect(
    await land(
      { 'r/junit.xml': suite('a'), 'r/cover.json': '{"a":1}', 'r/same.txt': 'x', '.dot/.own': 'one' },
      { 'r/junit.xml': suite('b'), 'r/cover.json': '{"b":1}', 'r/same.txt': 'x' },
    ),
  ).toEqual(['.dot/.own', 'r/cover.shard-1.json', 'r/cover.shard-2.json', 'r/junit.xml', 'r/same.txt']);
  expect(read('r/junit.xml')).toContain(`${suite('a')}\n${suite('b')}`);
  expect([read('r/cover.shard-2.json'), read('.dot/.own')]).toEqual(['{"b":1}', 'one']);
});

it('takes away what an earlier run with more shards left, and nothing else', async () => {
  writeAll(rootDir, { 'r/log.shard-3.txt': 'old', 'r/log.shard-x.txt': 'mine', 'r/other.shard-3.txt': 'mine' });
  await land({ 'r/log.txt': 'a' }, { 'r/log.txt': 'b' });
  expect(existsSync(join(rootDir, 'r/log.shard-3.txt'))).toBe(false);
  expect(['x', '1', '2'].map((end) => read(`r/log.shard-${end}.txt`))).toEqual(['mine', 'a', 'b']);
  expect(read('r/other.shard-3.txt')).toBe('mine');
});

it('keeps reports apart that are called JUnit’s and are not, or not whole', async () => {
  expect(await land({ 'a.xml': '<testsuites/>' }, { 'a.xml': '<testsuites>' })).toEqual([
    'a.shard-1.xml',
    'a.shard-2.xml',
  ]);
});

it('follows no link in the place of a folder', async () => {
  mkdirSync(join(dir, 'outside'));
  symlinkSync(join(dir, 'outside'), join(rootDir, 'r'));
  expect(await land({ 'r/junit.xml': 'x' })).toEqual([]);
  expect(warnings).toEqual(['not brought back: r/junit.xml: here a folder above it is missing or a link']);
  expect(existsSync(join(dir, 'outside/junit.xml'))).toBe(false);
});
