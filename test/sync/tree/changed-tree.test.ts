import { expect, test } from 'vitest';
import { type ListedPath, parsePath } from '../../../src/engine/lease/listing.ts';
import { becomeTree, changeTree, settleSent } from '../../../src/sync/tree/changed-tree.ts';
import type { SyncBase, Tree } from '../../../src/sync/tree/tree.ts';
import { unknownFingerprint } from '../../../src/workspace/unknown-fingerprint.ts';

const dir = (path: string, inode: number, time = 1) => parsePath(`d 755 4096 ${time}.5 ${inode}`, `./${path}`, '');
const file = (path: string, inode: number, time = 1) => parsePath(`f 644 3 ${time}.5 ${inode}`, `./${path}`, '');
const root = (time = 9) => parsePath(`d 755 4096 ${time}.5 1`, '.', '');
const treeOf = (paths: ListedPath[]) => new Map(paths.map((each) => [each.path, each] as const));
const before = () =>
  treeOf([dir('a', 2), file('a/f', 3), dir('a/b', 4), file('a/b/g', 5), dir('c', 6), file('c/h', 7), file('top', 8)]);
const namesOf = (tree: Tree) => [...tree.keys()].sort();
const rootList = [dir('a', 2), dir('c', 6), file('top', 8)];

function change(newer: ListedPath[], below: ListedPath[], tree: Tree = before()) {
  return { tree, ...changeTree(tree, { newer, below, sent: 5 }, [])! };
}

test('a tree of which only its own folder was looked at anew is as it was', () => {
  const { tree, unseen } = change([root()], rootList);
  expect([tree, unseen]).toEqual([before(), []]);
});

test('what changed is as it is now, what came is there, what is gone is not, nor what was in it', () => {
  const newer = [root(), dir('a', 2, 9), file('a/f', 3, 9), dir('new', 20, 9), file('new/n', 21, 9)];
  const below = [dir('a', 2, 9), file('top', 8), dir('new', 20, 9), file('a/f', 3, 9), file('new/n', 21, 9)];
  const { tree, unseen } = change(newer, below);
  expect(namesOf(tree)).toEqual(['a', 'a/f', 'new', 'new/n', 'top']);
  expect([tree.get('a/f')?.fingerprint, unseen]).toEqual(['f 644 3 9.5 3', []]);
});

test('a folder that was moved into place is to be listed, for what is in it looks old', () => {
  // mv c a/c, which had a folder e with old files.
  const tree = treeOf([...before().values(), dir('c/e', 9), file('c/e/deep', 10)]);
  const newer = [root(), dir('a', 2, 9), dir('a/c', 6, 9)];
  const below = [
    dir('a', 2, 9),
    file('top', 8),
    file('a/f', 3),
    dir('a/b', 4),
    dir('a/c', 6, 9),
    file('a/c/h', 7),
    dir('a/c/e', 9),
  ];
  const changed = change(newer, below, tree);
  expect(changed.unseen).toEqual(['a/c/e']);
  expect(namesOf(changed.tree)).toEqual(['a', 'a/b', 'a/b/g', 'a/c', 'a/c/e', 'a/c/h', 'a/f', 'top']);
});

test('a folder in the place of another of the same name is to be listed, also where its own time is old', () => {
  // a and c changed places, and a/b and c/b look as old as ever.
  const tree = treeOf([...before().values(), dir('c/b', 9), file('c/b/g', 10)]);
  const newer = [root(), dir('a', 6, 9), dir('c', 2, 9)];
  const below = [
    dir('a', 6, 9),
    dir('c', 2, 9),
    file('top', 8),
    file('a/h', 7),
    dir('a/b', 9),
    file('c/f', 3),
    dir('c/b', 4),
  ];
  const { tree: after, unseen } = change(newer, below, tree);
  expect(unseen).toEqual(['a/b', 'c/b']);
  expect(namesOf(after)).toEqual(['a', 'a/b', 'a/h', 'c', 'c/b', 'c/f', 'top']);
});

test('a folder that became a file takes all in it along, and a file that became a folder is one', () => {
  const newer = [root(), file('a', 30, 9), dir('top', 31, 9), file('top/in', 32, 9)];
  const { tree } = change(newer, [file('a', 30, 9), dir('c', 6), dir('top', 31, 9), file('top/in', 32, 9)]);
  expect([namesOf(tree), tree.get('a')?.kind, tree.get('top')?.kind]).toEqual([
    ['a', 'c', 'c/h', 'top', 'top/in'],
    'file',
    'directory',
  ]);
});

test('a tree of which all is listed is that, what is as it was is left alone, and names that lead out are refused', () => {
  const tree = before();
  const kept = tree.get('a/f');
  const link = parsePath('l 777 1 1.5 3', './c', 'a');
  const { refused } = becomeTree(tree, [dir('a', 2), file('a/f', 3), file('a/b', 4, 9), link, file('../x', 40)]);
  expect([namesOf(tree), tree.get('a/b')?.kind, tree.get('c')?.target]).toEqual([
    ['a', 'a/b', 'a/f', 'c'],
    'file',
    'a',
  ]);
  expect([tree.get('a/f') === kept, refused]).toEqual([true, ['../x']]);
  becomeTree(tree, [parsePath('l 777 1 1.5 3', './c', 'b')]);
  expect([...tree].map(([path, { target }]) => [path, target])).toEqual([['c', 'b']]);
});

test('what was sent and is not told of makes the whole doubtful', () => {
  const sent: Tree = before();
  sent.set('a/f', { kind: 'file', mode: 0o644, size: 3, fingerprint: unknownFingerprint });
  expect(changeTree(sent, { newer: [root()], below: rootList, sent: 5 }, ['a/f'])).toBeUndefined();
});

test('names that lead out of the volume are refused', () => {
  const { tree, refused } = change([root(), file('../x', 40, 9)], [...rootList, file('a/../../y', 41)]);
  expect([namesOf(tree), refused]).toEqual([namesOf(before()), ['../x', 'a/../../y']]);
});

test('a file that was sent is known as it is there unless it is newer than that', () => {
  const known = { kind: 'file', content: 'digest', local: 'here', remote: unknownFingerprint } as const;
  const base: SyncBase = new Map([
    ['as-sent', known],
    ['touched', known],
    ['other', { ...known, remote: 'f 644 3 1.5 4' }],
  ]);
  const tree = treeOf([file('as-sent', 2, 5), file('touched', 3, 6), file('other', 4, 1)]);
  settleSent(base, tree, ['as-sent', 'touched'], 5.5);
  expect([...base].map(([, { remote }]) => remote)).toEqual(['f 644 3 5.5 2', unknownFingerprint, 'f 644 3 1.5 4']);
});
