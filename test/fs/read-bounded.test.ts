import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { readBounded, readPieces, readTextIfAny, readWhole } from '../../src/fs/read-bounded.ts';

const readers = {
  readBounded: (file: string) => readBounded(file),
  readWhole: (file: string) => readWhole(file),
  readPieces: (file: string) => [...readPieces(file)],
};

test('what never begins or never ends is not opened, but named for what it is', async () => {
  await using fixture = await createFixture({ folder: {} });
  const socket = fixture.getPath('socket');
  await using server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  execFileSync('mkfifo', [fixture.getPath('pipe')]);
  const places = { '/dev/zero': 'a device', folder: 'a folder', pipe: 'a named pipe', socket: 'a socket' };
  for (const read of Object.values(readers)) {
    for (const [place, kind] of Object.entries(places)) {
      const file = place.startsWith('/') ? place : fixture.getPath(place);
      expect(() => read(file)).toThrowError(`${kind}, not a file`);
    }
  }
  expect(readTextIfAny(fixture.getPath('pipe'))).toBeUndefined();
});

test('a file is read to its limit and one byte more, which says that it is too large', async () => {
  await using fixture = await createFixture({ exact: 'x'.repeat(4096), larger: 'x'.repeat(4097), empty: '' });
  expect(readWhole(fixture.getPath('exact'), 4096)).toHaveLength(4096);
  expect(readWhole(fixture.getPath('empty'), 4096)).toHaveLength(0);
  expect(readBounded(fixture.getPath('larger'), 4096)).toHaveLength(4097);
  expect(() => readWhole(fixture.getPath('larger'), 4096)).toThrowErrorMatchingInlineSnapshot(
    `[Error: larger than 4 KiB]`,
  );
  expect(() => readWhole(fixture.getPath('larger'), 0)).toThrowErrorMatchingInlineSnapshot(
    `[Error: larger than 0 MiB]`,
  );
  expect(readTextIfAny(fixture.getPath('larger'), 4096)).toBeUndefined();
  expect(readTextIfAny(fixture.getPath('absent'))).toBeUndefined();
});

test('a file of the kernel has no size and is read to its end', () => {
  expect(readWhole('/proc/self/status').toString()).toMatch(/^Name:[\s\S]+\nnonvoluntary_ctxt_switches:.*\n$/);
});

test('a pipe that the caller names is read to its end', async () => {
  await using fixture = await createFixture();
  const pipe = fixture.getPath('pipe');
  execFileSync('mkfifo', [pipe]);
  execFileSync('sh', ['-c', `{ echo begin; sleep 0.2; echo end; } > ${pipe} &`], { stdio: 'ignore' });
  expect(readWhole(pipe, undefined, { pipes: true }).toString()).toBe('begin\nend\n');
});

test('a large file comes in pieces', async () => {
  const content = Buffer.alloc(2_500_000, 'abc');
  await using fixture = await createFixture({ large: content });
  const pieces = [...readPieces(fixture.getPath('large'))];
  expect(pieces.length).toBeGreaterThan(2);
  expect(Buffer.concat(pieces).equals(content)).toBe(true);
});
