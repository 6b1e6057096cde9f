import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { explainGit } from '../../../../src/actions/run/workspace/explain-git.ts';
import type { MountedWorkspace } from '../../../../src/actions/run/workspace/with-copy.ts';
import { commitAll, git } from '../../../support/cli/cli.ts';

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'gbuild-explain-git-')));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const mount = { type: 'volume', name: 'a', containerDir: '/workspace' } as const;
const sent: MountedWorkspace = { mount, isShared: false };
const explain = (name: string, workspace = sent, exitCode = 128) =>
  explainGit(exitCode, join(dir, name), workspace)?.replaceAll(dir, '<dir>');

test('where git fails in a task, a repository that borrows objects or whose .git is a link is explained', () => {
  git(dir, 'init', '-q', 'whole');
  writeFileSync(join(dir, 'whole/a'), '');
  commitAll(join(dir, 'whole'), 'first');
  git(dir, 'clone', '-q', '--shared', 'whole', 'borrows');
  git(dir, 'clone', '-q', 'whole', 'linked');
  rmSync(join(dir, 'linked/.git'), { recursive: true });
  symlinkSync(join(dir, 'whole/.git'), join(dir, 'linked/.git'));
  expect([explain('whole'), explain('borrows', sent, 1)]).toEqual([undefined, undefined]);
  const borrows = explain('borrows');
  expect([borrows, explain('linked')]).toMatchInlineSnapshot(`
    [
      "git lacks objects in the container: <dir>/borrows/.git/objects/info/alternates names folders that no task sees; "git repack -a -d" copies them, then remove that file",
      "git has no repository in the container: <dir>/linked/.git is a link, and what it leads to is not sent to the engine",
    ]
  `);
  expect(explain('borrows', { ...sent, isShared: true })).toBe(borrows);
  git(dir, 'init', '-q', '--separate-git-dir', join(dir, 'apart-git'), 'apart');
  const mounted = { ...sent, gitMounts: [{ ...mount, containerDir: '/run/gbuild/git-top' }] };
  expect(explain('apart', mounted)).toBeUndefined();
  expect(explain('apart')).toContain('which does not name this folder back');
});
