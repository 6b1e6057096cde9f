import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Demuxer } from '../../../src/engine/answer/demux.ts';

const frameOf = (kind: number, data: Buffer) => {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
};

const joinByStream = (pieces: Iterable<{ stream: string; data: Buffer }>) => {
  const texts = { stdout: '', stderr: '' } as Record<string, string>;
  for (const { stream, data } of pieces) texts[stream] += data.toString('latin1');
  return texts;
};

test('gives every stream its bytes in order, however the network cut them', () => {
  const frames = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.uint8Array({ maxLength: 40 })), {
    maxLength: 30,
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1 });
  fc.assert(
    fc.property(frames, cuts, (written, sizes) => {
      const bytes = Buffer.concat(written.map(([kind, data]) => frameOf(kind, Buffer.from(data))));
      const demuxer = new Demuxer();
      const pieces: { stream: string; data: Buffer }[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        pieces.push(...demuxer.split(bytes.subarray(at, at + size)));
        at += size;
      }
      const expected = written.map(([kind, data]) => ({
        stream: kind === 2 ? 'stderr' : 'stdout',
        data: Buffer.from(data),
      }));
      expect(joinByStream(pieces)).toEqual(joinByStream(expected));
    }),
  );
});

test('keeps the order between the streams when a chunk holds many frames', () => {
  const chunk = Buffer.concat([
    frameOf(1, Buffer.from('a')),
    frameOf(2, Buffer.from('b')),
    frameOf(1, Buffer.from('c')),
  ]);
  expect([...new Demuxer().split(chunk)].map(({ stream, data }) => `${stream} ${data}`)).toEqual([
    'stdout a',
    'stderr b',
    'stdout c',
  ]);
});

test('takes 200,000 frames in one chunk', () => {
  const one = frameOf(1, Buffer.from('line\n'));
  const chunk = Buffer.alloc(one.length * 200_000, one);
  let count = 0;
  for (const { data } of new Demuxer().split(chunk)) count += data.length;
  expect(count).toBe(1_000_000);
});

test('takes an empty frame for nothing', () => {
  const chunk = Buffer.concat([frameOf(1, Buffer.alloc(0)), frameOf(1, Buffer.from('x'))]);
  expect(joinByStream(new Demuxer().split(chunk)).stdout).toBe('x');
});

test('refuses a stream that is not framed', () => {
  expect(() => [...new Demuxer().split(Buffer.from('plain terminal text'))]).toThrowErrorMatchingInlineSnapshot(
    `[GbuildError: the engine's output stream is broken: frame header 706c61696e207465]`,
  );
});
