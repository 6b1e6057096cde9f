import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatedFs } from '../../../src/actions/inspect/gated-fs.ts';
import { makeFolder } from '../../support/images/tree.ts';

interface UsedFs {
  mkdir(path: string, done: (error?: Error | null) => void): void;
  createWriteStream(path: string): Writable;
}

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

function open() {
  const gate = new GatedFs();
  return { gate, fs: gate.fs as unknown as UsedFs };
}

test('closing waits for a call that is under way, and for what its end begins', async () => {
  const { gate, fs } = open();
  const ended: string[] = [];
  fs.mkdir(join(folder.path, 'first'), () => {
    ended.push('first');
    fs.mkdir(join(folder.path, 'second'), (error) => ended.push(error?.message ?? 'second'));
  });
  await gate.close();
  expect(ended).toEqual(['first', 'nothing is written any more']);
  expect(existsSync(join(folder.path, 'second'))).toBe(false);
});

test('closing ends a file that nobody writes to its end, and waits until it is closed', async () => {
  const { gate, fs } = open();
  const file = fs.createWriteStream(join(folder.path, 'half'));
  await gate.close();
  expect(file.closed).toBe(true);
});

test('nothing is opened after the end', async () => {
  const { gate, fs } = open();
  await gate.close();
  const failed = new Promise<Error>((resolve) =>
    fs.createWriteStream(join(folder.path, 'late')).once('error', resolve),
  );
  expect((await failed).message).toBe('nothing is written any more');
  expect(existsSync(join(folder.path, 'late'))).toBe(false);
});

test('a file is written only where nothing is', async () => {
  const { gate, fs } = open();
  writeFileSync(join(folder.path, 'there'), '');
  const failed = new Promise<Error>((resolve) =>
    fs.createWriteStream(join(folder.path, 'there')).once('error', resolve),
  );
  expect((await failed).message).toMatch(/^EEXIST/);
  await gate.close();
});
