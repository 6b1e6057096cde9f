import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parsePath } from '../../src/engine/listing.ts';
import { MirrorMemory } from '../../src/sync/memory.ts';
import type { Mirror, Tree } from '../../src/sync/tree.ts';

const cacheDir = mkdtempSync(join(tmpdir(), 'gbuild-mirror-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

const mirror: Mirror = new Map([
  ['a\nb', { kind: 'file', content: 'digest', local: '1 2', remote: 'f 644 1 2.5 7' }],
  ['d', { kind: 'directory', content: '', local: '755', remote: '755' }],
  ['ünï', { kind: 'symlink', content: '../x y', local: '../x y', remote: '../x y' }],
  ['kept', { kind: 'file', content: 'digest', local: '1 2', remote: 'f 644 1 2.5 8' }],
]);
const remote: Tree = new Map(
  [
    parsePath('f 644 1 2.5 7', './a\nb', ''),
    parsePath('d 755 4096 2.5 9', './d', ''),
    parsePath('l 777 6 2.5 6', './ünï', '../x y'),
    parsePath('f 4755 1 3.5 8', './kept', ''),
    parsePath('f 644 1 2.5 5', './ignored', ''),
  ].map((each) => [each.path, each]),
);
const nothing = { mirror: new Map(), remote: new Map() };
const open = (volume = 'volume') => new MirrorMemory(cacheDir, ['engine', volume]);

test('what was written is read, whatever names hold, and is of one volume alone', () => {
  open().write(mirror, remote);
  expect([open().read(), open('volume-2').read()]).toEqual([{ mirror, remote }, nothing]);
});

test('a stamp is taken once, and only for what was written with it', () => {
  const memory = open();
  memory.write(mirror, remote);
  memory.keepStamp('17');
  const taken = [1, 2].map(() => {
    const next = open();
    next.read();
    return next.takeStamp();
  });
  expect(taken).toEqual(['17', undefined]);
  memory.keepStamp('18');
  open().write(mirror, remote);
  const later = open();
  later.read();
  expect(later.takeStamp()).toBeUndefined();
});

test('nothing is stamped that could not be written', () => {
  rmSync(join(cacheDir, 'workspaces'), { recursive: true });
  const memory = open();
  memory.write(mirror, remote);
  const [file] = readdirSync(join(cacheDir, 'workspaces')).map((name) => join(cacheDir, 'workspaces', name));
  rmSync(file!);
  mkdirSync(file!);
  memory.write(new Map(), new Map());
  memory.keepStamp('19');
  expect(readdirSync(join(cacheDir, 'workspaces'))).toHaveLength(1);
});

test('one that is cut off or of another kind says nothing', () => {
  rmSync(join(cacheDir, 'workspaces'), { recursive: true });
  open().write(mirror, remote);
  for (const file of readdirSync(join(cacheDir, 'workspaces')).map((name) => join(cacheDir, 'workspaces', name))) {
    const whole = readFileSync(file);
    for (const length of [0, 5, whole.length - 1, whole.length - 30]) {
      writeFileSync(file, whole);
      truncateSync(file, length);
      expect(open().read()).toEqual(nothing);
    }
    writeFileSync(file, whole.toString().replace('gbuild-mirror-3', 'gbuild-mirror-2'));
    expect(open().read()).toEqual(nothing);
  }
});
