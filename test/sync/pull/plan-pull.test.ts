import { expect, test } from 'vitest';
import { listUndecided, planPull } from '../../../src/sync/pull/plan-pull.ts';
import type { Node, SyncBase, SyncBaseEntry, Tree } from '../../../src/sync/tree/tree.ts';

const node = (kind: Node['kind'], fingerprint: string): Node => ({ kind, mode: 0o644, size: 1, fingerprint });
const file = (fingerprint: string) => node('file', fingerprint);
const folder = node('directory', '755');
const known = (remote: string, kind: SyncBaseEntry['kind'] = 'file'): SyncBaseEntry => ({
  kind,
  content: 'x',
  local: 'x',
  remote,
});
const tree = (nodes: Record<string, Node>): Tree => new Map(Object.entries(nodes));
const base = (all: Record<string, SyncBaseEntry>): SyncBase => new Map(Object.entries(all));
const answers = (all: Record<string, boolean> = {}) => new Map(Object.entries(all));

test('git is asked of topmost paths, then of what is in the folders that it does not ignore', () => {
  const remote = tree({
    '.git': folder,
    '.git/hooks': folder,
    src: folder,
    'src/new': folder,
    'src/new/a.o': file('1'),
    target: folder,
    'target/deep': folder,
    made: file('1'),
    old: file('1'),
  });
  const sides = { remote, base: base({ src: known('755', 'directory'), old: known('1') }), ignored: answers() };
  expect(listUndecided(sides)).toEqual(['src/new/', 'target/', 'made']);
  const ignored = answers({ 'src/new': false, target: true, made: false });
  expect(listUndecided({ ...sides, ignored })).toEqual(['src/new/a.o']);
  ignored.set('src/new/a.o', true);
  expect(listUndecided({ ...sides, ignored })).toEqual([]);
});

test('new and changed paths come, unchanged ones do not, and what is gone there goes here', () => {
  const remote = tree({ same: file('1'), changed: file('2'), made: file('1'), d: folder, pipe: node('other', '') });
  const all = base({ same: known('1'), changed: known('1'), gone: known('1'), 'g/in': known('1'), g: known('755') });
  const ignored = answers({ made: false, d: false, pipe: false });
  expect(planPull({ remote, base: all, ignored }, () => false)).toEqual({
    fetch: ['changed', 'made'],
    folders: ['d'],
    remove: ['gone', 'g/in', 'g'],
    refused: ['pipe'],
  });
});

test('of what git ignores, that comes which is wanted or came before', () => {
  const remote = tree({ target: folder, 'target/app': file('1'), 'target/else': file('1'), 'target/old': file('2') });
  const sides = { remote, base: base({ 'target/old': known('1') }), ignored: answers({ target: true }) };
  expect(planPull(sides, (path) => path === 'target/app')).toEqual({
    fetch: ['target/app', 'target/old'],
    folders: [],
    remove: [],
    refused: [],
  });
});

test('what is a folder there now, or no longer, gives way here first', () => {
  const remote = tree({ a: folder, b: file('1') });
  const sides = { remote, base: base({ a: known('1'), b: known('755', 'directory') }), ignored: answers() };
  expect(planPull(sides, () => false)).toEqual({ fetch: ['b'], folders: ['a'], remove: ['a', 'b'], refused: [] });
});

test("git's own folder never comes, however it is spelt and wherever it is", () => {
  const remote = tree({
    'own/.git/hooks/post-commit': file('1'),
    '.git': folder,
    '.git/hooks/post-commit': file('1'),
    '.GIT': folder,
    '.Git/config': file('1'),
  });
  const sides = { remote, base: base({ '.git/config': known('1') }), ignored: answers() };
  expect(planPull(sides, () => true)).toEqual({ fetch: [], folders: [], remove: [], refused: [] });
});
