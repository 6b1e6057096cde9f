import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { createFixture } from 'fs-fixture';
import { describe, expect, it } from 'vitest';
import { TaskOutput } from '../../src/reporter/output.ts';

/** A stream that keeps what it gets. */
function keep(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}

describe('TaskOutput', () => {
  it('passes bytes as they come without a prefix, and keeps both streams in one log', async () => {
    await using fixture = await createFixture();
    const [out, err] = [keep(), keep()];
    const logFile = join(fixture.path, 'logs/test.log');
    const output = new TaskOutput({ stdout: out.stream, stderr: err.stream, logFile });
    await output.write('stdout', Buffer.from('one\ntw'));
    await output.write('stderr', Buffer.from('oops\n'));
    await output.write('stdout', Buffer.from('o\n'));
    expect(await output.end()).toBeUndefined();
    expect([out.text(), err.text()]).toEqual(['one\ntwo\n', 'oops\n']);
    expect(readFileSync(logFile, 'utf8')).toBe('one\ntwoops\no\n');
  });

  it('puts the prefix before every line, however the bytes are cut', () => {
    const lines = fc.array(
      fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll('\n', '')),
      { maxLength: 12 },
    );
    fc.assert(
      fc.asyncProperty(lines, fc.infiniteStream(fc.integer({ min: 1, max: 5 })), async (texts, sizes) => {
        const { stream, text } = keep();
        const output = new TaskOutput({ stdout: stream, stderr: stream, prefix: 't | ' });
        let rest = Buffer.from(texts.map((each) => `${each}\n`).join(''));
        while (rest.length > 0) {
          const size = sizes.next().value;
          await output.write('stdout', rest.subarray(0, size));
          rest = rest.subarray(size);
        }
        await output.end();
        expect(text()).toBe(texts.map((each) => `t | ${each}\n`).join(''));
      }),
    );
  });

  it('ends a last line that has no end, so that the next line starts at the margin', async () => {
    const { stream, text } = keep();
    const output = new TaskOutput({ stdout: stream, stderr: stream, prefix: 't | ' });
    await output.write('stdout', Buffer.from('no end'));
    await output.end();
    expect(text()).toBe('t | no end\n');
  });

  it('holds the task back while a reader is slow', async () => {
    const slow = new PassThrough({ highWaterMark: 4 });
    const output = new TaskOutput({ stdout: slow, stderr: slow });
    const written = output.write('stdout', Buffer.from('more than four bytes'));
    expect(written).toBeInstanceOf(Promise);
    slow.resume();
    await written;
  });

  it('answers a log that cannot be written instead of throwing: the task ran', async () => {
    await using fixture = await createFixture({ 'is-a-folder/x': '' });
    const { stream } = keep();
    const output = new TaskOutput({ stdout: stream, stderr: stream, logFile: join(fixture.path, 'is-a-folder') });
    await new Promise((resolve) => setTimeout(resolve, 10));
    await output.write('stdout', Buffer.from('text\n'));
    expect((await output.end())?.message).toMatch(/EISDIR/);
  });
});
