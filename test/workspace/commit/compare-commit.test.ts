import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkOutCommit } from '../../../src/workspace/commit/check-out.ts';
import { findDifference, findTrackedDifference } from '../../../src/workspace/commit/compare-commit.ts';
import { readRevision } from '../../../src/workspace/commit/revision.ts';
import { commitAll, git } from '../../support/cli/cli.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-compare-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const env = { PATH: process.env.PATH, HOME: join(dir, 'home') };

let count = 0;
function makeRepository(files: Record<string, string>): string {
  count += 1;
  const repository = join(dir, `repository-${count}`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), text);
  }
  git(repository, 'init', '-q', '-b', 'main');
  commitAll(repository, 'first');
  return repository;
}

const files = { 'a.txt': 'a\nb\n', 'sub/b': 'b\n', 'run.sh': '#!/bin/sh\n', '.gitignore': 'ignored\n' };

/** What git calls clean, and is not the commit. */
const hidden: [what: string, change: (repository: string) => void, difference: string][] = [
  ['an ignored file', (repository) => writeFileSync(join(repository, 'ignored'), 'x'), 'ignored is not in the commit'],
  [
    'a file that git is told to skip',
    (repository) => {
      git(repository, 'update-index', '--skip-worktree', 'sub/b');
      writeFileSync(join(repository, 'sub/b'), 'x\n');
    },
    'sub/b has other bytes',
  ],
  [
    'a file that git is told not to look at',
    (repository) => {
      git(repository, 'update-index', '--assume-unchanged', 'a.txt');
      rmSync(join(repository, 'a.txt'));
    },
    'a.txt is not there',
  ],
  [
    'a sparse checkout',
    (repository) => {
      git(repository, 'sparse-checkout', 'set', '--no-cone', '/*', '!sub/');
    },
    'sub/b is not there',
  ],
  [
    'line ends of this machine',
    (repository) => {
      git(repository, 'config', 'core.autocrlf', 'true');
      rmSync(join(repository, 'a.txt'));
      git(repository, 'checkout', '-q', 'a.txt');
    },
    'a.txt has other bytes',
  ],
  [
    'a mode that git does not look at',
    (repository) => {
      git(repository, 'config', 'core.fileMode', 'false');
      chmodSync(join(repository, 'run.sh'), 0o755);
    },
    'run.sh has another mode',
  ],
];

describe('a folder that git calls clean', () => {
  test.each(hidden)('is not its commit with %s, and a checkout is', async (_, change, difference) => {
    const repository = makeRepository(files);
    const commit = git(repository, 'rev-parse', 'HEAD');
    expect(await findDifference(repository, commit, env)).toBeUndefined();
    change(repository);
    expect((await readRevision(repository, env))?.dirty).toEqual([]);
    expect(await findDifference(repository, commit, env)).toBe(difference);
    const out = `${repository}-out`;
    await checkOutCommit(repository, commit, out, env);
    expect(await findDifference(out, commit, env)).toBeUndefined();
    expect((await readRevision(out, env))?.dirty).toEqual([]);
    for (const [path, text] of Object.entries(files)) expect(readFileSync(join(out, path), 'utf8')).toBe(text);
  });

  test('is it with nothing but ignored files in it, where these are to be packed', async () => {
    const repository = makeRepository(files);
    writeFileSync(join(repository, 'ignored'), 'x');
    const commit = git(repository, 'rev-parse', 'HEAD');
    expect(await findTrackedDifference(repository, commit, env)).toBeUndefined();
  });

  test('is not it with another kind of entry, link or submodule', async () => {
    const repository = makeRepository(files);
    symlinkSync('a.txt', join(repository, 'link'));
    const part = makeRepository({ c: 'c\n' });
    git(repository, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'part');
    commitAll(repository, 'second');
    const commit = git(repository, 'rev-parse', 'HEAD');
    expect(await findDifference(repository, commit, env)).toBeUndefined();
    writeFileSync(join(repository, 'part/new'), '');
    expect(await findDifference(repository, commit, env)).toBe('part: new is not in the commit');
    rmSync(join(repository, 'part/new'));
    git(join(repository, 'part'), 'commit', '-q', '--allow-empty', '-m', 'more');
    expect(await findDifference(repository, commit, env)).toBe('the submodule part is at another commit');
    rmSync(join(repository, 'part'), { recursive: true });
    expect(await findDifference(repository, commit, env)).toBe('the submodule part is not checked out');
    rmSync(join(repository, 'link'));
    symlinkSync('sub/b', join(repository, 'link'));
    expect(await findDifference(repository, commit, env)).toBe('link has other bytes');
  });

  test('below the top of its repository answers for itself alone', async () => {
    const repository = makeRepository(files);
    const commit = git(repository, 'rev-parse', 'HEAD');
    writeFileSync(join(repository, 'ignored'), 'x');
    expect(await findDifference(join(repository, 'sub'), commit, env)).toBeUndefined();
    writeFileSync(join(repository, 'sub/b'), 'x\n');
    expect(await findDifference(join(repository, 'sub'), commit, env)).toBe('b has other bytes');
  });
});

describe('a pointer of git-lfs', () => {
  const pointer =
    'version https://git-lfs.github.com/spec/v1\noid sha256:a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447\nsize 12\n';

  test('is refused by its name where git-lfs is not there, and left alone where it is none', async () => {
    const lfs = makeRepository({ 'model.bin': pointer, '.gitattributes': '*.bin filter=lfs -text\n' });
    const commit = git(lfs, 'rev-parse', 'HEAD');
    expect(await findDifference(lfs, commit, env)).toBe('model.bin is a pointer of git-lfs');
    await expect(checkOutCommit(lfs, commit, `${lfs}-out`, env)).rejects.toMatchObject({
      message: 'model.bin is kept by git-lfs, and the commit has its pointer alone: git-lfs is not installed here',
      suggestions: ['apt-get install git-lfs && git lfs pull'],
      exitCode: 2,
    });
    const plain = makeRepository({ 'model.bin': pointer });
    await checkOutCommit(plain, git(plain, 'rev-parse', 'HEAD'), `${plain}-out`, env);
    expect(readFileSync(join(`${plain}-out`, 'model.bin'), 'utf8')).toBe(pointer);
  });

  test('becomes the file that git-lfs gives, and no other', async () => {
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    const gives = (text: string) =>
      writeFileSync(
        join(bin, 'git-lfs'),
        `#!/bin/sh\n[ "$1" = smudge ] && cat >/dev/null && printf '${text}'\nexit 0\n`,
        { mode: 0o755 },
      );
    const withLfs = { ...env, PATH: `${bin}:${env.PATH}` };
    const lfs = makeRepository({ 'model.bin': pointer, '.gitattributes': '*.bin filter=lfs -text\n' });
    const commit = git(lfs, 'rev-parse', 'HEAD');
    gives('hello world\\n');
    await checkOutCommit(lfs, commit, `${lfs}-out`, withLfs);
    expect(readFileSync(join(`${lfs}-out`, 'model.bin'), 'utf8')).toBe('hello world\n');
    gives('another\\n');
    await expect(checkOutCommit(lfs, commit, `${lfs}-other`, withLfs)).rejects.toMatchObject({
      message: expect.stringContaining(
        'model.bin is kept by git-lfs, and the commit has its pointer alone: git-lfs cannot give it',
      ),
      suggestions: ['git lfs pull'],
    });
  });
});

test('a repository that has its objects from another one is checked out', async () => {
  const repository = makeRepository(files);
  const clone = `${repository}-shared`;
  git(dir, 'clone', '-q', '--shared', repository, clone);
  appendFileSync(join(clone, '.git/info/exclude'), 'nothing\n');
  await checkOutCommit(clone, git(clone, 'rev-parse', 'HEAD'), `${clone}-out`, env);
  expect(readFileSync(join(`${clone}-out`, 'sub/b'), 'utf8')).toBe('b\n');
});
