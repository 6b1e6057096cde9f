import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createFixture } from 'fs-fixture';
import { expect, it } from 'vitest';
import { ensureFile } from '../../src/fs/ensure-file.ts';
import { errorOf } from '../support/assert/error-of.ts';

const content = Buffer.from('-----BEGIN CERTIFICATE-----\n');

it('writes a file that is missing, emptied, cut off, flipped, another or a folder, and leaves one that fits', async () => {
  await using fixture = await createFixture();
  const file = fixture.getPath('fixed-files/ca');
  ensureFile(file, content, 0o644);
  const { ino, mode } = statSync(file);
  ensureFile(file, content, 0o644);
  expect(statSync(file).ino).toBe(ino);
  expect(mode & 0o777).toBe(0o644);
  for (const damage of ['', content.subarray(0, 5), '{}', Buffer.from(content).fill('_', 3, 4)]) {
    writeFileSync(file, damage);
    ensureFile(file, content, 0o644);
    expect(readFileSync(file)).toEqual(content);
  }
  rmSync(file);
  mkdirSync(`${file}/below`, { recursive: true });
  ensureFile(file, content, 0o644);
  expect(readFileSync(file)).toEqual(content);
  expect(readdirSync(fixture.getPath('fixed-files'))).toEqual(['ca']);
});

it('does not change the bytes that somebody has open', async () => {
  await using fixture = await createFixture({ ca: 'emptied' });
  const { ino } = statSync(fixture.getPath('ca'));
  ensureFile(fixture.getPath('ca'), content, 0o600);
  expect(statSync(fixture.getPath('ca')).ino).not.toBe(ino);
});

it('says which file cannot be written and what lets the caller do so', async () => {
  const error = await errorOf(async () => ensureFile('/dev/null/gbuild/ca', content, 0o644));
  expect(error).toMatchObject({
    code: 'disk-failed',
    message: expect.stringMatching(/^\/dev\/null\/gbuild\/ca cannot be written: ENOTDIR/),
    suggestions: [`sudo chown -R "$(id -u)" '/dev/null/gbuild'`, `ls -ld '/dev/null/gbuild'`],
  });
});
