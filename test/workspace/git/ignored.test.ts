import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { askIgnored, readIgnored } from '../../../src/workspace/git/ignored.ts';
import { commitAll, git } from '../../support/cli/cli.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-ignored-'));
const repository = join(dir, 'repository');
const files = ['.gitignore', 'src/a.c', 'src/a.o', 'node_modules/x/y', 'logs/only.o', 'sub/node_modules/z', 'kept.o'];
for (const path of files) {
  mkdirSync(join(repository, dirname(path)), { recursive: true });
  writeFileSync(join(repository, path), 'x\n');
}
writeFileSync(join(repository, '.gitignore'), 'node_modules/\n*.o\n!kept.o\n');
symlinkSync('src', join(repository, 'link'));
git(repository, 'init', '-q');
commitAll(repository, 'first');
const env = { PATH: process.env.PATH };
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('folders are named as a whole where anything in them is ignored, not where all that is in them happens to be', async () => {
  const ignored = await readIgnored(repository, env);
  expect([...ignored].sort()).toEqual(['logs/only.o', 'node_modules', 'src/a.o', 'sub/node_modules']);
});

test('paths that are not there are judged, of whatever name, behind a link too', async () => {
  const asked = [
    'new/node_modules/',
    'node_modules',
    'b.o',
    'kept.o',
    'link/b.o',
    'link/',
    '-x.o',
    ':(top)y.o',
    'a\nb.o',
    'c.c',
  ];
  const ignored = await askIgnored(repository, asked, env);
  expect([...ignored].filter((path) => path !== '').sort()).toEqual(
    ['new/node_modules', 'node_modules', 'b.o', '-x.o', ':(top)y.o', 'a\nb.o'].sort(),
  );
});

test('below the top of a repository the paths are its own, and outside of one nothing is ignored', async () => {
  expect([...(await readIgnored(join(repository, 'sub'), env))]).toEqual(['node_modules']);
  mkdirSync(join(dir, 'none'));
  // A workspace of its own somewhere below, which the repository around it ignores.
  const inner = join(repository, 'node_modules/x');
  expect([(await readIgnored(inner, env)).size, (await askIgnored(inner, ['y', 'z'], env)).size]).toEqual([0, 0]);
  expect([
    (await readIgnored(join(dir, 'none'), env)).size,
    (await askIgnored(join(dir, 'none'), ['x.o'], env)).size,
  ]).toEqual([0, 0]);
});
