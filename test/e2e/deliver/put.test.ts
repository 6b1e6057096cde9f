import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DeliveryRig, openDelivery, readResult } from '../../support/deliver/delivery-rig.ts';
import { type Moto, startMoto } from '../../support/deployers/moto.ts';

let rig: DeliveryRig;
let moto: Moto;

beforeAll(async () => {
  [rig, moto] = await Promise.all([openDelivery({ word: 'put' }), startMoto()]);
  await moto.makeBucket('releases');
  for (const version of ['1.0.1', '1.0.2']) await rig.release(version);
});
afterAll(async () => {
  await moto[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

const put = (version: string, url: string, more: string[] = []) =>
  rig.deliver(['compose', version, '--put', url, ...more], { env: moto.env });

test.each([
  ['a bucket of S3', () => 's3://releases/hello/compose.yml'],
  ['a folder', () => `file://${join(rig.cli.dir, 'shelf/compose.yml')}`],
])('a delivery is put into %s once, and no other bytes take its place', async (_, urlOf) => {
  const url = urlOf();
  const first = readResult<{ put: object[]; files: { sha256: string }[] }>(await put('1.0.1', url, ['--json']));
  const { sha256 } = first.files[0]!;
  expect(first.put).toEqual([{ url, size: expect.any(Number), sha256, alreadyThere: false }]);
  const again = readResult<{ put: object[] }>(await put('1.0.1', url, ['--json']));
  expect(again.put).toMatchObject([{ url, sha256, alreadyThere: true }]);
  const other = await put('1.0.2', url);
  expect([other.exitCode, other.stderr]).toEqual([2, expect.stringContaining('what is there is never replaced')]);
  expect(other.stderr).toContain(sha256);
});

test('with a slash at its end the files go below the address, under their paths', async () => {
  const shelf = join(rig.cli.dir, 'shelf/1.0.1');
  const { exitCode, stdout, stderr } = await put('1.0.1', `file://${shelf}/`);
  expect([exitCode, rig.plain(stdout).replace(/\d+ B/, 'SIZE')], stderr).toMatchInlineSnapshot(`
    [
      0,
      "acme/NAME:1.0.1 for compose (REGISTRY/acme/NAME@sha256:ID)
      compose.yml  SIZE  sha256:ID
      file://<dir>/shelf/1.0.1/compose.yml
    ",
    ]
  `);
  const { text } = await rig.delivered(['compose', '1.0.1']);
  expect(readFileSync(join(shelf, 'compose.yml'), 'utf8')).toBe(text);
});

test('an address that nothing can be put at is refused before anything is done', async () => {
  const { exitCode, stderr } = await put('1.0.1', 'ftp://example.com/x');
  expect([exitCode, rig.plain(stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: ftp://example.com/x is not an address that files can be put at
      try: --put s3://BUCKET/KEY, --put https://HOST/PATH or --put file:///PATH
    ",
    ]
  `);
});
