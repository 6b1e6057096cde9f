import { readdirSync } from 'node:fs';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import { createFixture } from 'fs-fixture';
import { expect, it } from 'vitest';
import { OrderedOutput } from '../../src/reporter/ordered.ts';

/** Both streams as one text, in the order of arrival; a slow reader takes each piece a moment later. */
function keep(isSlow = false) {
  const pieces: string[] = [];
  const open = (mark: string) =>
    new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        pieces.push(`${mark}${chunk.toString()}`);
        if (isSlow) setImmediate(done);
        else done();
      },
    });
  return { streams: { stdout: open(''), stderr: open('!') }, text: () => pieces.join(' ') };
}

it('passes the first on as it comes, and each other when those before it have ended', async () => {
  await using fixture = await createFixture();
  const { streams, text } = keep();
  const output = new OrderedOutput(streams, fixture.path, 3);
  const [first, second, third] = output.lanes;
  third!.stdout.write('c1');
  second!.stderr.write('b1');
  first!.stdout.write('a1');
  await expect.poll(text).toBe('a1');
  await third!.end();
  expect(text()).toBe('a1');
  first!.stderr.write('a2');
  await first!.end();
  await expect.poll(text).toBe('a1 !a2 !b1');
  second!.stdout.write('b2');
  await expect.poll(text).toBe('a1 !a2 !b1 b2');
  await output.end();
  expect(text()).toBe('a1 !a2 !b1 b2 c1');
});

it('keeps every byte in its place, whoever writes when, also for a slow reader', async () => {
  const piece = fc.record({ lane: fc.nat(2), stream: fc.constantFrom('stdout', 'stderr'), end: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      await using fixture = await createFixture();
      const { streams, text } = keep(true);
      const output = new OrderedOutput(streams, fixture.path, 3);
      const expected: string[][] = [[], [], []];
      const ended = new Set<number>();
      for (const [at, { lane, stream, end }] of pieces.entries()) {
        if (ended.has(lane)) continue;
        const mark = `${lane}-${at}`;
        await new Promise((resolve) => output.lanes[lane]![stream as 'stdout'].write(mark, resolve));
        expected[lane]!.push(stream === 'stderr' ? `!${mark}` : mark);
        if (!end) continue;
        ended.add(lane);
        await output.lanes[lane]!.end();
      }
      await output.end();
      expect(text()).toBe(expected.flat().join(' '));
    }),
    { numRuns: 30 },
  );
});

it('tells a disk that takes nothing, and loses nothing of the lane whose turn it is', async () => {
  await using fixture = await createFixture();
  const { streams, text } = keep();
  const output = new OrderedOutput(streams, `${fixture.path}/none`, 2);
  output.lanes[1]!.stdout.write('lost');
  output.lanes[0]!.stdout.write('a');
  await expect(output.end()).rejects.toThrow('ENOENT');
  expect([text(), readdirSync(fixture.path)]).toEqual(['a', []]);
});
