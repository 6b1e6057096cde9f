import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MirrorMemory } from '../../src/sync/memory.ts';
import type { Mirror } from '../../src/sync/tree.ts';

const cacheDir = mkdtempSync(join(tmpdir(), 'gbuild-mirror-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

const mirror: Mirror = new Map([
  ['a\nb', { kind: 'file', content: 'digest', local: '1 2', remote: 'f 644 1' }],
  ['d', { kind: 'directory', content: '', local: '755', remote: '755' }],
  ['ünï', { kind: 'symlink', content: '../x y', local: '../x y', remote: '../x y' }],
]);
const memory = new MirrorMemory(cacheDir, ['engine', 'volume']);

test('what was written is read, whatever names hold, and is of one volume alone', () => {
  memory.write(mirror);
  expect([memory.read(), new MirrorMemory(cacheDir, ['engine', 'volume-2']).read()]).toEqual([mirror, new Map()]);
});

test('one that is cut off or of another kind says nothing', () => {
  const file = join(cacheDir, 'workspaces', readdirSync(join(cacheDir, 'workspaces'))[0]!);
  const whole = readFileSync(file);
  for (const length of [0, 5, whole.length - 1, whole.length - 30]) {
    writeFileSync(file, whole);
    truncateSync(file, length);
    expect(memory.read()).toEqual(new Map());
  }
  writeFileSync(file, whole.toString().replace('gbuild-mirror-2', 'gbuild-mirror-1'));
  expect(memory.read()).toEqual(new Map());
});
