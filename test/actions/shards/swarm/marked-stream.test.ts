import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MarkedStream, type StreamPart } from '../../../../src/actions/shards/swarm/marked-stream.ts';

/** Pieces of data that follow one another are one. */
function join(parts: StreamPart[]): (string | string[])[] {
  const joined: (string | string[])[] = [];
  for (const part of parts) {
    if (part.kind === 'mark') joined.push(part.words);
    else if (typeof joined.at(-1) === 'string') joined.push(`${joined.pop()}${part.bytes.toString('latin1')}`);
    else joined.push(part.bytes.toString('latin1'));
  }
  return joined;
}

test('finds every mark, and gives all else to the byte, however the stream is cut', () => {
  const text = 'one toke\ntok end tok\0TOK begin 0\n\nTOK end 0 1 no\nTO TOK over\nrest\n';
  const expected = [
    'one toke\ntok end tok\0',
    ['begin', '0'],
    '\n',
    ['end', '0', '1', 'no'],
    'TO ',
    ['over'],
    'rest\n',
  ];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
      const stream = new MarkedStream('TOK');
      const parts: StreamPart[] = [];
      for (let at = 0, turn = 0; at < text.length; turn += 1) {
        const size = sizes[turn % sizes.length]!;
        parts.push(...stream.cut(Buffer.from(text.slice(at, at + size), 'latin1')));
        at += size;
      }
      expect(join(parts)).toEqual(expected);
    }),
  );
});

test('keeps back nothing that cannot be a mark', () => {
  expect(join(new MarkedStream('TOK').cut(Buffer.from('a prompt: ')))).toEqual(['a prompt: ']);
  expect(join(new MarkedStream('TOK').cut(Buffer.from('a prompt: TO')))).toEqual(['a prompt: ']);
});
