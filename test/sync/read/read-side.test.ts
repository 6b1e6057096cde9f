import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EarlyRead, type SideInput, syncKeyOf } from '../../../src/sync/read/read-side.ts';
import { SyncMemory } from '../../../src/sync/state/sync-state.ts';
import { hostIn } from '../../support/toolchains/host-in.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-early-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const url = 'ssh://box';
let input: SideInput;
let memory: SyncMemory;
let run = 0;

beforeEach(() => {
  run += 1;
  const rootDir = join(dir, `${run}`);
  mkdirSync(join(rootDir, 'src'), { recursive: true });
  execFileSync('git', ['init', '-q', rootDir]);
  writeFileSync(join(rootDir, 'src/a'), 'a');
  input = { host: hostIn(join(dir, `cache-${run}`)), rootDir, include: [] };
  memory = SyncMemory.of(input.host.cacheDir, ['engine', 'volume']);
  mkdirSync(join(input.host.cacheDir, 'workspaces'), { recursive: true });
});

const begin = () => EarlyRead.begin(input, url);
const beginNoted = () => {
  memory.noteLast(syncKeyOf(input.rootDir, url));
  return begin()!;
};
/** Below the root, where only reading tells of it. */
const editBelow = () => writeFileSync(join(input.rootDir, 'src/later'), '');
const sees = async (early: EarlyRead, wanted = memory) => {
  const { remembered } = await early.take(input, wanted);
  return remembered.local.has('src/a') && remembered.local.has('src/later');
};

test('nothing is read early where nothing was sent to that engine from that folder', () => {
  expect(begin()).toBeUndefined();
  memory.noteLast(syncKeyOf(input.rootDir, 'ssh://other'));
  memory.noteLast(syncKeyOf(`${input.rootDir}/src`, url));
  expect(begin()).toBeUndefined();
});

test('what was read early is taken', async () => {
  const early = beginNoted();
  const read = await early.take(input, memory);
  expect([...read.remembered.local.keys()].filter((path) => !path.startsWith('.git'))).toEqual(['src', 'src/a']);
  editBelow();
  expect(await sees(early)).toBe(false);
});

test('it is read again with another memory, after a while, and where something came to the folder', async () => {
  const other = SyncMemory.of(input.host.cacheDir, ['engine', 'volume-2']);
  const early = beginNoted();
  await early.take(input, memory);
  editBelow();
  expect([await sees(early), await sees(early, other)]).toEqual([false, true]);
  const now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(now + 5_001);
  expect(await sees(early)).toBe(true);
  clock.mockRestore();
  expect(await sees(early)).toBe(false);
  writeFileSync(join(input.rootDir, 'gbuild.lock'), '');
  expect(await sees(early)).toBe(true);
});

test('a note that is damaged says nothing', () => {
  memory.noteLast(syncKeyOf(input.rootDir, url));
  writeFileSync(join(input.host.cacheDir, 'workspaces', `${syncKeyOf(input.rootDir, url)}.last`), '../../x');
  expect(begin()).toBeUndefined();
});
