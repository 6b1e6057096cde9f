import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findRepository } from '../../../src/workspace/git/git-repository.ts';
import { isOwnRepository } from '../../../src/workspace/git/own-repository.ts';
import { readPlace } from '../../../src/workspace/git/project-place.ts';
import { commitAll, git } from '../../support/cli/cli.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-own-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function makeRepository(name: string, ...init: string[]): string {
  const repository = join(dir, name);
  mkdirSync(repository);
  writeFileSync(join(repository, 'a'), '');
  git(repository, 'init', '-q', '-b', 'main', ...init);
  commitAll(repository, 'first');
  return repository;
}

/** A folder as an archive brings it, whose `.git` file names a git folder. */
function makeClaim(name: string, gitDir: string): string {
  const claim = join(dir, name);
  mkdirSync(claim);
  writeFileSync(join(claim, '.git'), `gitdir: ${gitDir}\n`);
  return claim;
}

const isOwn = (topDir: string) => isOwnRepository(findRepository(topDir)!);

test("a git folder is its working tree's where it lies in it, is named back, or is nobody else's", () => {
  const plain = makeRepository('plain');
  const linked = join(dir, 'linked');
  git(plain, 'worktree', 'add', '-q', '-b', 'linked', linked);
  const apart = makeRepository('apart', '--separate-git-dir', join(dir, 'apart-git'));
  git(plain, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', apart, 'part');
  expect([plain, linked, apart, join(plain, 'part')].map(isOwn)).toEqual([true, true, true, true]);
});

test('a .git file may not name the git folder of another working tree, a bare one or one of submodules', () => {
  const victim = makeRepository('victim');
  const part = makeRepository('victims-part');
  git(victim, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'part');
  commitAll(victim, 'second');
  git(victim, 'submodule', '--quiet', 'deinit', '--all');
  const linked = join(dir, 'victims-linked');
  git(victim, 'worktree', 'add', '-q', '-b', 'linked', linked);
  const bare = join(dir, 'bare.git');
  git(dir, 'clone', '-q', '--bare', victim, bare);
  symlinkSync(join(victim, '.git'), join(dir, 'link'));
  const victims = [
    'victim/.git',
    'link',
    'victim/.git/modules/part',
    'victim/.git/worktrees/victims-linked',
    'bare.git',
  ];
  const claims = victims.map((gitDir, at) => makeClaim(`claim-${at}`, join(dir, gitDir)));
  expect(claims.map(isOwn)).toEqual([false, false, false, false, false]);
});

test('a project is at its place in the repository that tracks it, and nowhere in one that merely lies around it', async () => {
  const top = makeRepository('place');
  const env = { PATH: process.env.PATH, HOME: dir };
  mkdirSync(join(top, 'services/api'), { recursive: true });
  writeFileSync(join(top, 'services/api/b'), '');
  expect(await readPlace(join(top, 'services/api'), env)).toBeUndefined();
  git(top, 'add', 'services');
  expect(await readPlace(join(top, 'services/api'), env)).toEqual({
    repository: findRepository(top),
    path: 'services/api',
    outside: ['a'],
  });
  expect([await readPlace(top, env), await readPlace(dir, env)]).toEqual([undefined, undefined]);
  const broken = makeClaim('broken', join(dir, 'nowhere'));
  mkdirSync(join(broken, 'below'));
  expect(await readPlace(join(broken, 'below'), env)).toBeUndefined();
});
