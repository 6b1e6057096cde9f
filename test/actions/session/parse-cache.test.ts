import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, it } from 'vitest';
import { ParseCache } from '../../../src/actions/session/parse-cache.ts';

const bytes = Buffer.from('name: a');

it('parses the same bytes once, and other bytes, kinds and versions anew', async () => {
  await using fixture = await createFixture();
  let parsed = 0;
  const parse = async () => ({ parsed: ++parsed });
  const cache = new ParseCache(fixture.path, '1');
  expect(await cache.get('spec', bytes, parse)).toEqual({ parsed: 1 });
  expect(await cache.get('spec', bytes, parse)).toEqual({ parsed: 1 });
  expect(await cache.get('lock', bytes, parse)).toEqual({ parsed: 2 });
  expect(await cache.get('spec', Buffer.from('name: b'), parse)).toEqual({ parsed: 3 });
  expect(await new ParseCache(fixture.path, '2').get('spec', bytes, parse)).toEqual({ parsed: 4 });
});

it('keeps no mistake', async () => {
  await using fixture = await createFixture();
  const cache = new ParseCache(fixture.path, '1');
  const fail = async () => {
    throw new Error('line 1');
  };
  await expect(cache.get('spec', bytes, fail)).rejects.toThrow('line 1');
  expect(await cache.get('spec', bytes, async () => 'mended')).toBe('mended');
});

it('parses when an entry is damaged or the folder cannot be written', async () => {
  await using fixture = await createFixture();
  const cache = new ParseCache(fixture.path, '1');
  await cache.get('spec', bytes, async () => 'first');
  for (const name of readdirSync(fixture.path)) writeFileSync(join(fixture.path, name), '{"val');
  expect(await cache.get('spec', bytes, async () => 'second')).toBe('second');
  const blocked = join(fixture.path, 'file');
  writeFileSync(blocked, '');
  chmodSync(blocked, 0o400);
  expect(await new ParseCache(blocked, '1').get('spec', bytes, async () => 'third')).toBe('third');
});

it('reads results that came with the program before its own, unless they are damaged', async () => {
  await using fixture = await createFixture({ shipped: {}, own: {} });
  const shipped = fixture.getPath('shipped');
  await new ParseCache(shipped, '1').get('spec', bytes, async () => 'shipped');
  const cache = new ParseCache(fixture.getPath('own'), '1', shipped);
  expect(await cache.get('spec', bytes, async () => 'parsed')).toBe('shipped');
  expect(readdirSync(fixture.getPath('own'))).toEqual([]);
  for (const name of readdirSync(shipped)) writeFileSync(join(shipped, name), '{"val');
  expect(await cache.get('spec', bytes, async () => 'parsed')).toBe('parsed');
});
