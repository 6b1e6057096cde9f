import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanSourceUrl, readRevision } from '../../../src/workspace/commit/revision.ts';
import { readTrackedFiles } from '../../../src/workspace/git/tracked.ts';
import { findRoot } from '../../../src/workspace/root.ts';
import { makeFolder } from '../../support/images/tree.ts';

const env = { PATH: process.env.PATH };

function git(cwd: string, ...args: string[]): string {
  const date = '2024-05-06T09:08:09+02:00';
  const identity = {
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  };
  const times = {
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_DATE: date,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
  };
  return execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...env, ...identity, ...times },
  });
}

async function makeRepository() {
  const folder = await makeFolder();
  git(folder.path, 'init', '-b', 'main');
  writeFileSync(folder.getPath('a'), 'a');
  mkdirSync(folder.getPath('sub'));
  writeFileSync(folder.getPath('sub/b'), 'b');
  git(folder.path, 'add', '.');
  git(folder.path, 'commit', '-m', 'one');
  return folder;
}

describe('readRevision', () => {
  it('tells commit, time in UTC, describe, branch and source of a clean checkout', async () => {
    await using repo = await makeRepository();
    git(repo.path, 'tag', 'v1.2.3');
    git(repo.path, 'remote', 'add', 'origin', 'https://user:s3cret@example.com/acme/app.git');
    const commit = git(repo.path, 'rev-parse', 'HEAD').trim();
    expect(await readRevision(repo.path, env)).toEqual({
      commit,
      commitTime: '2024-05-06T07:08:09Z',
      describe: 'v1.2.3',
      branch: 'main',
      sourceUrl: 'https://example.com/acme/app.git',
      dirty: [],
      untracked: [],
      shallow: false,
    });
  });

  it('names changed, deleted, staged and untracked files, however they are called', async () => {
    await using repo = await makeRepository();
    writeFileSync(repo.getPath('a'), 'changed');
    rmSync(repo.getPath('sub/b'));
    writeFileSync(repo.getPath('new\nline'), '');
    writeFileSync(repo.getPath('quo"te ü'), '');
    mkdirSync(repo.getPath('folder'));
    writeFileSync(repo.getPath('folder/staged'), '');
    git(repo.path, 'add', 'folder');
    const revision = await readRevision(repo.path, env);
    expect(revision?.dirty).toEqual(['a', 'folder/staged', 'new\nline', 'quo"te ü', 'sub/b']);
    expect(revision?.describe).toMatch(/-dirty$/);
  });

  it('looks at its own folder of a larger repository only, with paths from there', async () => {
    await using repo = await makeRepository();
    writeFileSync(repo.getPath('a'), 'changed');
    writeFileSync(repo.getPath('sub/b'), 'changed');
    expect((await readRevision(repo.getPath('sub'), env))?.dirty).toEqual(['b']);
  });

  it('does not count ignored files', async () => {
    await using repo = await makeRepository();
    writeFileSync(repo.getPath('.git/info/exclude'), 'dist\n');
    writeFileSync(repo.getPath('dist'), '');
    expect((await readRevision(repo.path, env))?.dirty).toEqual([]);
  });

  it('does not count untracked files that tools left, and counts what they changed', async () => {
    await using repo = await makeRepository();
    mkdirSync(repo.getPath('node_modules'));
    writeFileSync(repo.getPath('node_modules/tracked'), '');
    git(repo.path, 'add', '.');
    git(repo.path, 'commit', '-m', 'two');
    writeFileSync(repo.getPath('node_modules/tracked'), 'changed');
    writeFileSync(repo.getPath('node_modules/new'), '');
    writeFileSync(repo.getPath('new'), '');
    const revision = await readRevision(repo.path, env, (path) => path.startsWith('node_modules/'));
    expect([revision?.dirty, revision?.untracked]).toEqual([['new', 'node_modules/tracked'], ['new']]);
  });

  it('calls no file changed that a filter of the repository wrote when it was checked out, as in a fresh clone', async () => {
    await using repo = await makeRepository();
    writeFileSync(repo.getPath('.gitattributes'), 'sub/* filter=local\n');
    git(repo.path, 'add', '.');
    git(repo.path, 'commit', '-m', 'filtered');
    await using parent = await makeFolder();
    const clone = parent.getPath('clone');
    const filter = ['-c', 'filter.local.smudge=tr b x', '-c', 'filter.local.clean=tr x b'];
    git(parent.path, 'clone', ...filter, repo.path, clone);
    expect(readFileSync(join(clone, 'sub/b'), 'utf8')).toBe('x');
    // All files are as new as the index, so that git reads them again.
    utimesSync(join(clone, '.git/index'), 1, 1);
    const dirty = async (dir = clone) => {
      const { dirty, describe } = (await readRevision(dir, env))!;
      return [dirty, describe.endsWith('-dirty')];
    };
    expect(await dirty()).toEqual([[], false]);
    expect(await dirty(join(clone, 'sub'))).toEqual([[], false]);
    writeFileSync(join(clone, 'sub/b'), 'y');
    writeFileSync(join(clone, 'a'), 'c');
    expect(await dirty()).toEqual([['a', 'sub/b'], true]);
    expect(await dirty(join(clone, 'sub'))).toEqual([['b'], true]);
    // Only the filter tells that this is the same again: git, which the caller lets run it, and then remembers the times.
    writeFileSync(join(clone, 'sub/b'), 'x');
    utimesSync(join(clone, 'sub/b'), 100, 100);
    expect(await dirty()).toEqual([['a', 'sub/b'], true]);
    expect(git(clone, 'status', '--porcelain')).toBe(' M a\n');
    expect(await dirty()).toEqual([['a'], true]);
  });

  it('has no branch on a detached HEAD, and says of a shallow clone that it is one', async () => {
    await using repo = await makeRepository();
    git(repo.path, 'commit', '--allow-empty', '-m', 'two');
    await using parent = await makeFolder();
    const clone = join(parent.path, 'clone');
    git(parent.path, 'clone', '--depth', '1', `file://${repo.path}`, clone);
    git(clone, 'checkout', '--detach');
    const revision = await readRevision(clone, env);
    expect([revision?.shallow, revision?.branch, revision?.sourceUrl]).toEqual([true, undefined, undefined]);
  });

  it('is undefined outside a repository and before the first commit', async () => {
    await using folder = await makeFolder();
    expect(await readRevision(folder.path, env)).toBeUndefined();
    git(folder.path, 'init');
    expect(await readRevision(folder.path, env)).toBeUndefined();
  });

  it('is not led astray by GIT_DIR', async () => {
    await using repo = await makeRepository();
    expect(await readRevision(repo.path, { ...env, GIT_DIR: '/nowhere' })).toMatchObject({ branch: 'main' });
  });

  it('says that git is missing', async () => {
    await using repo = await makeRepository();
    await expect(readRevision(repo.path, { PATH: '/nowhere' })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GbuildError: git is not installed, so the revision of this folder cannot be read]`,
    );
  });
});

describe('cleanSourceUrl', () => {
  it.each([
    ['https://user:pw@host/a/b.git?token=x#y', 'https://host/a/b.git'],
    ['https://ghp_token@host:8443/a', 'https://host:8443/a'],
    ['git@host:a/b.git', 'https://host/a/b.git'],
    ['host:a/b', 'https://host/a/b'],
    ['ssh://git:pw@host:2222/a/b', 'https://host/a/b'],
    ['http://user@host/a', 'http://host/a'],
    ['/srv/git/a.git', undefined],
    ['../a', undefined],
    ['file:///srv/a.git', undefined],
    ['C:\\repos\\a', undefined],
    ['', undefined],
  ])('makes %j to %j', (origin, expected) => {
    expect(cleanSourceUrl(origin)).toBe(expected);
  });
});

describe('readTrackedFiles', () => {
  it('lists the index, and is undefined outside git', async () => {
    await using repo = await makeRepository();
    await using folder = await makeFolder();
    writeFileSync(repo.getPath('untracked'), '');
    expect([await readTrackedFiles(repo.path, env), await readTrackedFiles(folder.path, env)]).toEqual([
      ['a', 'sub/b'],
      undefined,
    ]);
  });
});

describe('findRoot', () => {
  it('prefers the nearest gbuild.yml, then the git top level, then the folder itself', async () => {
    await using repo = await makeRepository();
    const sub = repo.getPath('sub');
    expect(findRoot(sub).rootDir).toBe(repo.path.replace(/\/$/, ''));
    writeFileSync(repo.getPath('sub/gbuild.yml'), '');
    mkdirSync(repo.getPath('sub/deep'));
    expect(findRoot(repo.getPath('sub/deep'))).toEqual({
      rootDir: sub,
      specFile: join(sub, 'gbuild.yml'),
      why: `${join(sub, 'gbuild.yml')} is there`,
    });
    await using folder = await makeFolder();
    expect(findRoot(folder.path).rootDir).toBe(folder.path);
  });

  it('does not take the home folder for a project from below it', async () => {
    await using home = await makeFolder();
    git(home.path, 'init');
    mkdirSync(home.getPath('project'));
    expect(findRoot(home.getPath('project'), home.path).rootDir).toBe(home.getPath('project'));
    expect(findRoot(home.path, home.path).rootDir).toBe(home.path);
  });

  it('says how gbuild.yml is spelt, and refuses the root of the file system', async () => {
    await using folder = await makeFolder();
    writeFileSync(folder.getPath('gbuild.yaml'), '');
    expect(() => findRoot(folder.path)).toThrowError(
      expect.objectContaining({ code: 'spec-missing', suggestions: ['mv gbuild.yaml gbuild.yml'] }),
    );
    expect(() => findRoot('/')).toThrowError(expect.objectContaining({ code: 'usage' }));
  });
});
