import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, symlinkSync } from 'node:fs';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { largestFile } from '../../../src/fs/read-bounded.ts';
import { readLock } from '../../../src/spec/lock/lock.ts';
import { readSpec } from '../../../src/spec/read/read-spec.ts';
import { corpus } from '../corpus.ts';
import { errorOf } from '../mistakes-of.ts';

test('a spec is read from a folder or by its file', async () => {
  await using fixture = await createFixture({ 'gbuild.yml': corpus.smallest!, 'other.yml': corpus.node! });
  expect(readSpec(fixture.path)).toMatchObject({ file: 'gbuild.yml', major: 1, spec: { name: 'hello' } });
  expect(readSpec(fixture.getPath('other.yml'))).toMatchObject({ file: 'other.yml', spec: { name: 'acme/hello' } });
});

test('messages call the file as the caller wants', async () => {
  await using fixture = await createFixture({ 'gbuild.yml': 'gbuild: 2\n' });
  const error = errorOf(() => readSpec(fixture.path, '../gbuild.yml'));
  expect(error.message).toMatchInlineSnapshot(`
    "one mistake in ../gbuild.yml

      ../gbuild.yml:1:9  gbuild: expected a major this gbuild can read, up to 1, found 2
        > 1 | gbuild: 2
            |         ^
        the file is made for a newer gbuild: upgrade yours"
  `);
});

test('a missing file says how to write one, a misnamed one how to rename it', async () => {
  await using fixture = await createFixture({ 'empty/x': '', 'named/gbuild.yaml': corpus.smallest! });
  const told = (folder: string) => {
    const { code, message, suggestions } = errorOf(() => readSpec(fixture.getPath(folder)));
    return { code, message: message.replaceAll(fixture.path, '/repo/'), suggestions };
  };
  expect(told('empty')).toMatchInlineSnapshot(`
    {
      "code": "spec-missing",
      "message": "there is no /repo//empty/gbuild.yml",
      "suggestions": [
        "gbuild init",
      ],
    }
  `);
  expect(told('named')).toMatchInlineSnapshot(`
    {
      "code": "spec-missing",
      "message": "there is no /repo//named/gbuild.yml; did you mean /repo//named/gbuild.yaml?",
      "suggestions": [
        "mv gbuild.yaml gbuild.yml",
      ],
    }
  `);
});

test('what never begins or never ends is refused, whoever links to it', async () => {
  await using fixture = await createFixture();
  execFileSync('mkfifo', [fixture.getPath('pipe')]);
  for (const [target, kind] of [
    ['pipe', 'a named pipe'],
    ['/dev/zero', 'a device'],
    ['.', 'a folder'],
  ] as const) {
    rmSync(fixture.getPath('gbuild.yml'), { force: true });
    rmSync(fixture.getPath('gbuild.lock'), { force: true });
    for (const name of ['gbuild.yml', 'gbuild.lock']) symlinkSync(target, fixture.getPath(name));
    const errors = [errorOf(() => readSpec(fixture.getPath('gbuild.yml'), 'x')), errorOf(() => readLock(fixture.path))];
    expect(errors.map(({ code, message }) => [code, message.replace(/^\S+/, 'FILE')])).toEqual(
      errors.map(() => ['workspace-unreadable', `FILE cannot be read: ${kind}, not a file`]),
    );
  }
});

test('a file that is not one, or is too large, is refused without reading it', async () => {
  await using fixture = await createFixture({ 'gbuild.yml/x': '', large: Buffer.alloc(largestFile * 2, 'a') });
  expect(errorOf(() => readSpec(fixture.path)).code).toBe('workspace-unreadable');
  expect(errorOf(() => readSpec(fixture.getPath('large'))).message).toMatchInlineSnapshot(`
    "one mistake in large

      large:1:1  expected a file of at most 256 KiB, found a larger one"
  `);
});

test.skipIf(process.getuid?.() === 0)('a file that may not be read is named', async () => {
  await using fixture = await createFixture({ 'gbuild.yml': corpus.smallest! });
  chmodSync(fixture.getPath('gbuild.yml'), 0);
  expect(errorOf(() => readSpec(fixture.path)).code).toBe('workspace-unreadable');
});
