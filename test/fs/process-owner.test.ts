import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { type Owner, ownerIsDead, ownerText, parseOwner, readOwner } from '../../src/fs/process-owner.ts';

const self = readOwner();

test('says an owner in one word that fits a label and a tag, and reads it again', () => {
  expect(ownerText(self)).toMatch(/^[A-Za-z0-9_-]{10,100}$/);
  expect(parseOwner(ownerText(self))).toEqual(self);
});

test.each(['', 'x', 'host_boot_pid_start', 'a_b_1_2_3', 'latest'])('takes "%s" for no owner', (text) => {
  expect(parseOwner(text)).toBeUndefined();
});

test.each<[string, Partial<Owner>, boolean]>([
  ['this very process', {}, false],
  ['a process of another machine, whatever its pid', { host: 'other', pid: 2 ** 22 + 1 }, false],
  ['a process of another machine and an earlier boot', { host: 'other', boot: '0' }, false],
  ['a process of an earlier boot', { boot: '0' }, true],
  ['a pid that nobody has', { pid: 2 ** 22 + 1 }, true],
  ['an earlier process with the pid of this one', { start: '1' }, true],
  ['an earlier process with the pid of a living one', { pid: process.ppid, start: '1' }, true],
  ['a living process whose start is not known', { pid: process.ppid, start: '0' }, false],
])('%s', (_, change, dead) => {
  expect(ownerIsDead({ ...self, ...change }, self)).toBe(dead);
});

test('a process is alive until it ends', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const owner = { ...self, pid: child.pid!, start: '0' };
  expect(ownerIsDead(owner, self)).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(ownerIsDead(owner, self)).toBe(true);
});
