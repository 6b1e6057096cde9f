import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parsePath } from '../../../src/engine/lease/listing.ts';
import { SyncMemory } from '../../../src/sync/state/sync-state.ts';
import type { SyncBase, Tree } from '../../../src/sync/tree/tree.ts';
import { unknownFingerprint } from '../../../src/workspace/unknown-fingerprint.ts';

const cacheDir = mkdtempSync(join(tmpdir(), 'gbuild-mirror-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

const base: SyncBase = new Map([
  ['a\nb', { kind: 'file', content: 'digest', local: '1 2', remote: 'f 644 1 2.5 7' }],
  ['d', { kind: 'directory', content: '', local: '755', remote: '755' }],
  ['ünï', { kind: 'symlink', content: '../x y', local: '../x y', remote: '../x y' }],
  ['odd', { kind: 'symlink', content: 'a\tb', local: '%41\n?', remote: 'c\t\t' }],
  ['became', { kind: 'directory', content: '', local: '755', remote: '755' }],
  ['kept', { kind: 'file', content: 'digest', local: '1 2', remote: 'f 644 1 2.5 8' }],
]);
const remote: Tree = new Map(
  [
    parsePath('f 644 1 2.5 7', './a\nb', ''),
    parsePath('d 755 4096 2.5 9', './d', ''),
    parsePath('l 777 6 2.5 6', './ünï', '../x y'),
    parsePath('l 777 6 2.5 4', './odd', 'd\te%'),
    parsePath('l 777 3 2.5 11', './became', '755'),
    parsePath('f 4755 1 3.5 8', './kept', ''),
    parsePath('f 644 1 2.5 5', './ignored', ''),
  ].map((each) => [each.path, each]),
);
const memoryFile = () => {
  const [name] = readdirSync(join(cacheDir, 'workspaces'));
  return join(cacheDir, 'workspaces', name!);
};
const readPlain = (volume?: string) => {
  const read = open(volume).read();
  return { base: new Map(read.base), remote: new Map(read.remote) };
};
const nothing = { base: new Map(), remote: new Map() };
const open = (volume = 'volume') => SyncMemory.of(cacheDir, ['engine', volume]);

test('what was written is read, whatever names hold, and is of one volume alone', () => {
  open().write(base, remote);
  expect([readPlain(), readPlain('volume-2')]).toEqual([{ base, remote }, nothing]);
});

test('a stamp is taken once, and only for what was written with it', () => {
  const memory = open();
  memory.write(base, remote);
  memory.keepCleanMarker('17');
  const taken = [1, 2].map(() => {
    const next = open();
    next.read();
    return next.takeCleanMarker();
  });
  expect(taken).toEqual(['17', undefined]);
  memory.keepCleanMarker('18');
  open().write(base, remote);
  const later = open();
  later.read();
  expect(later.takeCleanMarker()).toBeUndefined();
});

test('a folder in the place of a memory, its stamp or the note of the last one is replaced', () => {
  rmSync(join(cacheDir, 'workspaces'), { recursive: true });
  const memory = open();
  memory.write(base, remote);
  memory.keepCleanMarker('18');
  memory.noteLast('place');
  const files = readdirSync(join(cacheDir, 'workspaces')).map((name) => join(cacheDir, 'workspaces', name));
  for (const file of files) {
    rmSync(file);
    mkdirSync(join(file, 'below'), { recursive: true });
  }
  expect([readPlain(), open().takeCleanMarker(), SyncMemory.last(cacheDir, 'place')]).toEqual([
    nothing,
    undefined,
    undefined,
  ]);
  const next = open();
  next.write(base, remote);
  next.keepCleanMarker('19');
  next.noteLast('place');
  const later = SyncMemory.last(cacheDir, 'place')!;
  expect([new Map(later.read().base), later.takeCleanMarker(), files.length]).toEqual([base, '19', 3]);
});

test('nothing is stamped that could not be written', () => {
  const memory = SyncMemory.of('/dev/null/gbuild', ['engine', 'volume']);
  memory.write(base, remote);
  memory.keepCleanMarker('19');
  expect(memory.takeCleanMarker()).toBeUndefined();
});

test('a memory with one bit flipped says nothing of the block that has it, and nothing that was not written', () => {
  rmSync(join(cacheDir, 'workspaces'), { recursive: true, force: true });
  open().write(base, remote);
  const first = readPlain();
  const memory = open();
  const known = memory.read();
  known.base.set('kept', { kind: 'file', content: 'newest', local: '5 6', remote: 'f 4755 1 3.5 8' });
  memory.write(known.base, known.remote);
  const whole = readFileSync(memoryFile());
  for (let at = 0; at < whole.length; at += 1) {
    const flipped = Buffer.from(whole);
    flipped[at]! ^= 1 << (at % 8);
    writeFileSync(memoryFile(), flipped);
    expect([first, nothing]).toContainEqual(readPlain());
  }
});

test('a path is loose unless it looks on either side as it did when both were alike', () => {
  open('loose').write(base, remote);
  const remembered = open('loose').read();
  // Of some the volume has another one than both had, or what nobody knows.
  expect(remembered.looseThere()).toEqual(['odd', 'became', 'kept', 'ignored']);
  expect(remembered.loose()).toEqual(['a\nb', 'd', 'ünï', 'odd', 'became', 'kept', 'ignored']);
  const note = (fingerprint: string) => remembered.note('a\nb', 'file', fingerprint);
  expect(['1 2 ', '1 ', '3 4', '?'].map(note)).toEqual([false, false, false, false]);
  expect(remembered.note('a\nb', 'directory', '1 2')).toBe(false);
  expect([note('1 2'), remembered.note('d', 'directory', '755'), remembered.note('kept', 'file', '1 2')]).toEqual([
    true,
    true,
    true,
  ]);
  expect([remembered.note('none', 'file', '1 2'), remembered.note('ignored', 'file', '')]).toEqual([false, false]);
  expect(remembered.loose()).toEqual(['ünï', 'odd', 'became', 'kept', 'ignored']);
  remembered.remote.set('d', parsePath('d 755 4096 3.5 9', './d', ''));
  remembered.base.delete('a\nb');
  remembered.local.set('new', { kind: 'directory', mode: 0o755, size: 0, fingerprint: '755' });
  expect(remembered.looseThere()).toEqual(['a\nb', 'd', 'odd', 'became', 'kept', 'ignored', 'new']);
  expect(remembered.loose()).toEqual(['a\nb', 'd', 'ünï', 'odd', 'became', 'kept', 'ignored', 'new']);
});

test('a file is remembered with its mode, size and time, and one whose times are not known is always loose', () => {
  const known = { kind: 'file', content: 'digest', local: '420 3 1700.25 1800 7', remote: 'f 644 1 2.5 7' } as const;
  const node = parsePath('f 644 1 2.5 7', './f', '');
  open('file').write(
    new Map([
      ['f', known],
      ['unsure', { ...known, local: unknownFingerprint }],
    ]),
    new Map([
      ['f', node],
      ['unsure', node],
    ]),
  );
  const remembered = open('file').read();
  expect(remembered.note('f', 'file', known.local)).toBe(true);
  expect(remembered.note('unsure', 'file', unknownFingerprint)).toBe(false);
  expect(remembered.local.get('f')).toEqual({
    kind: 'file',
    mode: 420,
    size: 3,
    fingerprint: known.local,
    mtime: 1700.25,
  });
  expect([...remembered.local.keys()]).toEqual(['f']);
});

test('what was read is current until another run has written, more or all of it', () => {
  const first = open('shared');
  first.read();
  expect(first.isCurrent).toBe(true);
  open('shared').write(base, remote);
  expect(first.isCurrent).toBe(false);
  const [second, other] = [open('shared'), open('shared')];
  second.read();
  const { base: known, remote: there } = other.read();
  expect(second.isCurrent).toBe(true);
  known.delete('d');
  other.write(known, there);
  expect(second.isCurrent).toBe(false);
});

test('what changes later is added, and what is no more is gone, in the order of a tree', () => {
  rmSync(join(cacheDir, 'workspaces'), { recursive: true });
  open().write(base, remote);
  const whole = readFileSync(memoryFile());
  const memory = open();
  const known = memory.read();
  memory.write(known.base, known.remote);
  expect(readFileSync(memoryFile())).toEqual(whole);
  const nodes = [parsePath('d 755 4096 2.5 19', './a\nb', ''), parsePath('f 644 2 9.5 4', './a\nb/c', '')];
  known.remote.delete('a\nb');
  known.base.delete('a\nb');
  for (const node of nodes) known.remote.set(node.path, node);
  known.base.set('kept', { kind: 'file', content: 'other', local: '3 4', remote: 'f 4755 1 3.5 8' });
  known.remote.delete('ignored');
  memory.write(known.base, known.remote);
  expect(readFileSync(memoryFile()).subarray(0, whole.length)).toEqual(whole);
  const read = readPlain();
  expect(read).toEqual({ base: new Map(known.base), remote: new Map(known.remote) });
  const order = [...read.remote.keys()];
  expect(order.indexOf('a\nb')).toBeLessThan(order.indexOf('a\nb/c'));
});

test('a stamp is not that of what was written before something was added', () => {
  const memory = open();
  memory.read();
  memory.keepCleanMarker('20');
  const other = open();
  const { base: known, remote: there } = other.read();
  known.delete('d');
  other.write(known, there);
  const next = open();
  next.read();
  expect(next.takeCleanMarker()).toBeUndefined();
});

test('a block that is cut off says nothing, and what was before it still does', () => {
  const before = readFileSync(memoryFile());
  const expected = readPlain();
  const memory = open();
  const first = memory.read();
  first.base.set('kept', { kind: 'file', content: 'newest', local: '5 6', remote: 'f 4755 1 3.5 8' });
  memory.write(first.base, first.remote);
  const after = readFileSync(memoryFile());
  for (let length = before.length; length < after.length; length += 1) {
    writeFileSync(memoryFile(), after.subarray(0, length));
    expect(readPlain()).toEqual(expected);
  }
  const mending = open();
  const { base: known, remote: there } = mending.read();
  known.delete('kept');
  mending.write(known, there);
  expect([open().read().base.has('kept'), open().read().base.has('d')]).toEqual([false, known.has('d')]);
});

test('one that has grown by many runs is written anew', () => {
  open().write(base, remote);
  const { size } = statSync(memoryFile());
  let largest = 0;
  for (let run = 0; run < 1100; run += 1) {
    const memory = open();
    const { base: known, remote: there } = memory.read();
    known.set('kept', { kind: 'file', content: `run ${run}`, local: '5 6', remote: 'f 4755 1 3.5 8' });
    memory.write(known, there);
    largest = Math.max(largest, statSync(memoryFile()).size);
  }
  expect(largest).toBeGreaterThan(10 * size);
  expect(statSync(memoryFile()).size).toBeLessThan(largest / 2);
  expect(open().read().base.get('kept')?.content).toBe('run 1099');
});

test('one that is cut off or of another kind says nothing', () => {
  rmSync(join(cacheDir, 'workspaces'), { recursive: true });
  open().write(base, remote);
  for (const file of readdirSync(join(cacheDir, 'workspaces')).map((name) => join(cacheDir, 'workspaces', name))) {
    const whole = readFileSync(file);
    for (const length of [0, 5, whole.length - 1, whole.length - 30]) {
      writeFileSync(file, whole);
      truncateSync(file, length);
      expect(readPlain()).toEqual(nothing);
    }
    writeFileSync(file, whole.toString().replace('gbuild-mirror-6', 'gbuild-mirror-5'));
    expect(readPlain()).toEqual(nothing);
  }
});
