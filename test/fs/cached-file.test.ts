import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createFixture } from 'fs-fixture';
import { expect, it } from 'vitest';
import { readCached, writeCached } from '../../src/fs/cached-file.ts';

const content = '{"value":{"name":"hello","ünï":[1,2]}}';

it('reads what was written under this name and of this kind alone', async () => {
  await using fixture = await createFixture();
  const file = fixture.getPath('deep/er/one.json');
  expect(readCached(file, 'parsed 1')).toBeUndefined();
  expect(writeCached(file, 'parsed 1', content)).toBe(true);
  expect(readCached(file, 'parsed 1')).toBe(content);
  expect(readCached(file, 'parsed 2')).toBeUndefined();
  cpSync(file, fixture.getPath('deep/er/two.json'));
  expect(readCached(fixture.getPath('deep/er/two.json'), 'parsed 1')).toBeUndefined();
  expect(readdirSync(fixture.getPath('deep/er')).sort()).toEqual(['one.json', 'two.json']);
});

it('believes nothing that was cut off, flipped, edited or put in its place, and writes over it', async () => {
  await using fixture = await createFixture();
  const file = fixture.getPath('one.json');
  writeCached(file, 'parsed 1', content);
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length += 1) {
    writeFileSync(file, whole.subarray(0, length));
    expect(readCached(file, 'parsed 1')).toBeUndefined();
  }
  for (let bit = 0; bit < 8 * whole.length; bit += 1) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(file, flipped);
    expect(readCached(file, 'parsed 1')).toBeUndefined();
  }
  for (const text of ['{}', content, 'null', `${whole}x`]) {
    writeFileSync(file, text);
    expect(readCached(file, 'parsed 1')).toBeUndefined();
  }
  rmSync(file);
  mkdirSync(`${file}/below`, { recursive: true });
  expect(readCached(file, 'parsed 1')).toBeUndefined();
  expect(writeCached(file, 'parsed 1', content)).toBe(true);
  expect(readCached(file, 'parsed 1')).toBe(content);
});

it('keeps empty content apart from a file that is empty', async () => {
  await using fixture = await createFixture();
  const file = fixture.getPath('empty');
  writeCached(file, 'kind', '');
  expect(readCached(file, 'kind')).toBe('');
  writeFileSync(file, '');
  expect(readCached(file, 'kind')).toBeUndefined();
});

it('replaces a file in the place of its folder, and says where nothing can be written', async () => {
  await using fixture = await createFixture({ parsed: 'no folder' });
  expect(writeCached(fixture.getPath('parsed/one.json'), 'kind', content)).toBe(true);
  expect(readCached(fixture.getPath('parsed/one.json'), 'kind')).toBe(content);
  expect(writeCached('/dev/null/gbuild/one.json', 'kind', content)).toBe(false);
});
