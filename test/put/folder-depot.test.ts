import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseDestination } from '../../src/put/depot/destination.ts';
import { openFolderDepot } from '../../src/put/folder-depot.ts';
import { openPutRig, type PutRig } from '../support/deliver/put-rig.ts';
import { makeBytes } from '../support/registry/registry-rig.ts';

let rig: PutRig;
beforeEach(() => {
  rig = openPutRig();
});
afterEach(() => rig[Symbol.dispose]());

const read = (path: string) => readFileSync(join(rig.dir, path), 'utf8');

test('files go below a folder that is made, and again is nothing to do', async () => {
  const files = [rig.file('a.txt', 'one'), rig.file('sub/b.bin', makeBytes(3_000_000)), rig.file('empty', '')];
  const url = `file://${rig.dir}/new/deep/`;
  const first = await rig.put(url, files);
  expect(first.map(({ alreadyThere }) => alreadyThere)).toEqual([false, false, false]);
  expect(first[1]).toEqual({
    url: `${url}sub/b.bin`,
    size: 3_000_000,
    sha256: files[1]!.sha256,
    alreadyThere: false,
  });
  expect(readFileSync(join(rig.dir, 'new/deep/sub/b.bin')).equals(makeBytes(3_000_000))).toBe(true);
  const { ino, mtimeMs } = statSync(join(rig.dir, 'new/deep/a.txt'));
  const again = await rig.put(url, files);
  expect(again.map(({ alreadyThere }) => alreadyThere)).toEqual([true, true, true]);
  expect(statSync(join(rig.dir, 'new/deep/a.txt'))).toMatchObject({ ino, mtimeMs });
  expect(readdirSync(join(rig.dir, 'new/deep')).sort()).toEqual(['a.txt', 'empty', 'sub']);
});

test('other bytes are refused, and none of the files is written', async () => {
  mkdirSync(join(rig.dir, 'out'));
  writeFileSync(join(rig.dir, 'out/b'), 'other');
  expect(
    await rig.failure(`file://${rig.dir}/out/`, [rig.file('a', 'x'), rig.file('b', 'mine!')]),
  ).toMatchInlineSnapshot(`
    {
      "code": "output-refused",
      "message": "file://<dir>/out/b has other bytes, and what is there is never replaced
      there: sha256 <sha256>, 5 bytes
      here:  sha256 <sha256>, 5 bytes",
      "suggestions": [
        "sha256sum <dir>/out/b",
        "put it under another version or key",
      ],
    }
  `);
  expect(read('out/b')).toBe('other');
  expect(readdirSync(join(rig.dir, 'out'))).toEqual(['b']);
});

test('of many that put at once one wins, and the others are told', async () => {
  const url = `file://${rig.dir}/key`;
  const contents = Array.from({ length: 20 }, (_, at) => makeBytes(200_000, `${at}`));
  const ended = await Promise.allSettled(contents.map((content) => rig.put(url, [rig.file('x', content)])));
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const winner = contents[ended.findIndex(({ status }) => status === 'fulfilled')]!;
  expect(readFileSync(join(rig.dir, 'key')).equals(winner)).toBe(true);
});

test('a file that comes between look and write stays', async () => {
  const depot = openFolderDepot({ signal: new AbortController().signal });
  const key = parseDestination(`file://${rig.dir}/key`);
  const [theirs, mine] = [rig.file('x', 'theirs'), rig.file('x', 'mine')];
  expect(await depot.look(key, mine)).toBeUndefined();
  expect(await depot.write(key, theirs)).toBe(true);
  expect(await depot.write(key, mine)).toBe(false);
  expect(read('key')).toBe('theirs');
});

test('an address without a slash takes exactly one file', async () => {
  const two = [rig.file('a', '1'), rig.file('b', '2')];
  expect(await rig.failure(`file://${rig.dir}/key`, two)).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "file://<dir>/key takes one file, and there are 2 files",
      "suggestions": [
        "--put file://<dir>/key/   # each file under its path",
      ],
    }
  `);
  expect(await rig.failure(`file://${rig.dir}/key`, [])).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "file://<dir>/key takes one file, and there is no file",
      "suggestions": [
        "--put file://<dir>/key/   # each file under its path",
      ],
    }
  `);
});

test('a folder in the place, and a file in the place of a folder, are refused', async () => {
  mkdirSync(join(rig.dir, 'key'));
  writeFileSync(join(rig.dir, 'plain'), '');
  symlinkSync('nowhere', join(rig.dir, 'link'));
  const failures = ['key', 'plain/below', 'link'].map((path) =>
    rig.failure(`file://${rig.dir}/${path}`, [rig.file('x', '1')]),
  );
  expect((await Promise.all(failures)).map(({ code, message }) => `${code}: ${message}`)).toMatchInlineSnapshot(`
    [
      "output-refused: file://<dir>/key cannot be written: a folder, not a file",
      "output-refused: file://<dir>/plain/below cannot be written: ENOTDIR: not a directory, lstat '<dir>/plain/below'",
      "output-refused: file://<dir>/link cannot be written: a link that leads nowhere",
    ]
  `);
});

test('a file that changed since it was described is not put', async () => {
  for (const changed of ['grown and longer', 'same?', 'x']) {
    const file = rig.file('x', 'same!');
    writeFileSync(file.hostFile, changed);
    expect(await rig.failure(`file://${rig.dir}/out/key`, [file])).toMatchObject({ code: 'workspace-changed' });
  }
  expect(readdirSync(join(rig.dir, 'out'))).toEqual([]);
});
