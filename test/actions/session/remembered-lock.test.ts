import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findRememberedIn, pruneRemembered, rememberLock } from '../../../src/actions/session/remembered-lock.ts';
import { readLock } from '../../../src/spec/lock/lock.ts';
import type { Lock } from '../../../src/spec/lock/lock-types.ts';
import { makeFolder } from '../../support/images/tree.ts';

const id = `sha256:${'1'.repeat(64)}` as const;
const lock: Lock = {
  lock: 1,
  toolchain: {
    request: 'node@22',
    name: 'node',
    version: '22.1.0',
    recipe: id,
    platforms: { 'linux/amd64': { build: id } },
  },
};

test('a choice is remembered for each folder that has neither a gbuild.yml nor a gbuild.lock', async () => {
  await using folder = await makeFolder();
  const host = { stateDir: folder.getPath('state') };
  const [one, other] = ['one', 'other'].map((name) => folder.getPath(name)) as [string, string];
  for (const dir of [one, other]) mkdirSync(dir);
  const rememberedIn = findRememberedIn(host, one, undefined)!;
  await rememberLock(rememberedIn, lock);
  expect(readLock(findRememberedIn(host, one, undefined)!)).toEqual(lock);
  expect(readLock(findRememberedIn(host, other, undefined)!)).toBeUndefined();
  expect(findRememberedIn(host, one, `${one}/gbuild.yml`)).toBeUndefined();
  writeFileSync(`${one}/gbuild.lock`, '');
  expect(findRememberedIn(host, one, undefined)).toBeUndefined();
});

test('the oldest choices are forgotten', async () => {
  await using folder = await makeFolder();
  const choices = folder.getPath('choices');
  await pruneRemembered({ stateDir: folder.path });
  for (let at = 0; at < 502; at += 1) {
    mkdirSync(`${choices}/${at}`, { recursive: true });
    utimesSync(`${choices}/${at}`, 1000 + ((at + 250) % 502), 1000 + ((at + 250) % 502));
  }
  await pruneRemembered({ stateDir: folder.path });
  const left = readdirSync(choices);
  expect([left.length, left.includes('252'), left.includes('253'), left.includes('254')]).toEqual([
    500,
    false,
    false,
    true,
  ]);
});
