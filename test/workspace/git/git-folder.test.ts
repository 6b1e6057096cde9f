import { expect, test } from 'vitest';
import { judgeGitPath } from '../../../src/workspace/git/git-folder.ts';

const heads = [
  '.git',
  '.git/modules/a',
  '.git/modules/deep/b',
  '.git/modules/a/modules/c',
  '.git/worktrees/w',
  'x/.git',
];
const has = (path: string) => heads.some((folder) => path === `${folder}/HEAD`);

test.each([
  ['src/config', 'goes'],
  ['.git', 'goes'],
  ['.gitmodules', 'goes'],
  ['.github/logs/x', 'goes'],
  ['.git/HEAD', 'goes'],
  ['.git/ORIG_HEAD', 'goes'],
  ['.git/MERGE_MSG', 'goes'],
  ['.git/index', 'goes'],
  ['.git/objects/ab/cdef', 'goes'],
  ['.git/objects/pack/x.pack', 'goes'],
  ['.git/refs/heads/config', 'goes'],
  ['.git/refs/heads/logs/credentials', 'goes'],
  ['.git/refs/heads/modules/x/config', 'goes'],
  ['.git/hooks/pre-commit', 'goes'],
  ['.git/info/exclude', 'goes'],
  ['.git/lfs/objects/ab/cd', 'goes'],
  ['.git/annex/objects/ab/cd', 'goes'],
  ['.git/modules', 'goes'],
  ['.git/modules/deep', 'goes'],
  ['.git/modules/a/refs/remotes/origin/config', 'goes'],
  ['.git/worktrees/w/gitdir', 'goes'],
  ['.git/config', 'goes without credentials'],
  ['.GIT/config', 'goes without credentials'],
  ['.git/config.worktree', 'goes without credentials'],
  ['.git/modules/a/config', 'goes without credentials'],
  ['.git/modules/deep/b/config', 'goes without credentials'],
  ['.git/modules/a/modules/c/config', 'goes without credentials'],
  ['.git/modules/half/made/config', 'goes without credentials'],
  ['.git/worktrees/w/config.worktree', 'goes without credentials'],
  ['x/.git/config', 'goes without credentials'],
  ['.git/FETCH_HEAD', 'stays'],
  ['.git/logs', 'stays'],
  ['.git/logs/refs/heads/main', 'stays'],
  ['.git/modules/deep/b/logs/HEAD', 'stays'],
  ['.git/worktrees/w/logs/HEAD', 'stays'],
  ['.git/remotes/origin', 'stays'],
  ['.git/credentials', 'stays'],
  ['.git/config.old', 'stays'],
  ['.git/annex/creds/s3', 'stays'],
  ['.git/TOKEN', 'stays'],
  ['x/.git/FETCH_HEAD', 'stays'],
])('%s %s', (path, fate) => {
  expect(judgeGitPath(path, has)).toBe(fate);
});
