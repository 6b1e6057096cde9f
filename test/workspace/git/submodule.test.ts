import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { messageOf } from '../../../src/errors.ts';
import { readCheckoutParts } from '../../../src/workspace/checkout-parts.ts';
import { listChanges, listSubmodules } from '../../../src/workspace/commit/changes.ts';
import { checkOutCommit } from '../../../src/workspace/commit/check-out.ts';
import { findTrackedDifference } from '../../../src/workspace/commit/compare-commit.ts';
import { readRevision } from '../../../src/workspace/commit/revision.ts';
import { commitAll, git } from '../../support/cli/cli.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-submodule-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const env = { PATH: process.env.PATH, HOME: dir };

let count = 0;
function makeRepository(): string {
  count += 1;
  const repository = join(dir, `repository-${count}`);
  mkdirSync(repository);
  writeFileSync(join(repository, 'a'), `${count}\n`);
  git(repository, 'init', '-q', '-b', 'main');
  commitAll(repository, 'first');
  return repository;
}

function addSubmodule(repository: string, from: string, path: string): void {
  git(repository, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', from, path);
  commitAll(repository, `with ${path}`);
}

/** A repository with a submodule at `libs/part`, and the one that it comes from. */
function makeWithPart() {
  const from = makeRepository();
  const repository = makeRepository();
  addSubmodule(repository, from, 'libs/part');
  return { repository, from, part: join(repository, 'libs/part') };
}

/** How everything that asks git about submodules ends. */
async function askAll(repository: string): Promise<string[]> {
  const commit = git(repository, 'rev-parse', 'HEAD');
  count += 1;
  const asked = [
    listSubmodules(repository, env),
    listChanges(repository, env),
    readRevision(repository, env),
    readCheckoutParts(repository, env),
    findTrackedDifference(repository, commit, env),
    checkOutCommit(repository, commit, join(dir, `out-${count}`), env),
  ];
  const ends = await Promise.allSettled(asked as Promise<unknown>[]);
  return [...new Set(ends.map((end) => (end.status === 'fulfilled' ? 'well' : messageOf(end.reason))))];
}

test('is read where git put it: in a submodule of a submodule, in a linked working tree, and as a folder of its own', async () => {
  const { repository, part } = makeWithPart();
  const outer = makeRepository();
  addSubmodule(outer, repository, 'outer');
  git(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init', '--recursive');
  git(repository, 'worktree', 'add', '-q', '-b', 'linked', join(dir, 'linked'));
  git(join(dir, 'linked'), '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
  const embedding = makeRepository();
  git(embedding, '-c', 'protocol.file.allow=always', 'clone', '-q', part, 'embedded');
  git(embedding, 'submodule', '--quiet', 'add', './embedded');
  commitAll(embedding, 'with a folder');
  for (const [each, paths] of [
    [repository, ['libs/part']],
    [outer, ['outer']],
    [join(outer, 'outer'), ['libs/part']],
    [join(dir, 'linked'), ['libs/part']],
    [embedding, ['embedded']],
  ] as const)
    expect([each, await listSubmodules(each, env), await askAll(each)]).toEqual([each, paths, ['well']]);
});

test('is refused where .git names a git folder that a task wrote', async () => {
  const { repository, part } = makeWithPart();
  git(repository, 'clone', '-q', '--bare', part, 'evil');
  git(join(repository, 'evil'), 'config', 'core.bare', 'false');
  git(join(repository, 'evil'), 'config', 'core.worktree', '../libs/part');
  writeFileSync(join(part, '.git'), 'gitdir: ../../evil\n');
  expect(await askAll(repository)).toEqual([`${part}/.git leads to a repository that is not this submodule's`]);
  await expect(listSubmodules(repository, env)).rejects.toMatchObject({
    code: 'workspace-unreadable',
    suggestions: [`rm -r '${part}/.git' && echo 'gitdir: ../../.git/modules/libs/part' >'${part}/.git'`],
  });
});

test('is refused where a task put a folder in place of the .git file', async () => {
  const { repository, from, part } = makeWithPart();
  rmSync(join(part, '.git'));
  git(dir, 'clone', '-q', from, join(dir, 'planted'));
  git(part, 'init', '-q');
  git(part, 'fetch', '-q', from, 'main');
  git(part, 'update-ref', 'HEAD', 'FETCH_HEAD');
  expect(await askAll(repository)).toEqual([`${part}/.git leads to a repository that is not this submodule's`]);
});

test("never lends the objects of another repository of the caller's that has the commit", async () => {
  const { repository, from, part } = makeWithPart();
  writeFileSync(join(part, '.git'), `gitdir: ${from}/.git\n`);
  expect(await askAll(repository)).toEqual([`${part}/.git leads to a repository that is not this submodule's`]);
  expect(existsSync(join(dir, `out-${count}`, 'libs/part/.git'))).toBe(false);
});

test('is not checked out where a link leads to another folder', async () => {
  const { repository, from, part } = makeWithPart();
  rmSync(part, { recursive: true });
  symlinkSync(from, part);
  expect(await listSubmodules(repository, env)).toEqual([]);
  const commit = git(repository, 'rev-parse', 'HEAD');
  await expect(checkOutCommit(repository, commit, join(dir, 'out'), env)).rejects.toThrow(
    `the submodule ${part} is not checked out`,
  );
});
