import fc from 'fast-check';
import { corpus } from './corpus.ts';

type Mutation = (bytes: Buffer) => Buffer;

const nasty = [
  '\0',
  '\t',
  '\r',
  '\ufeff',
  '\u2028',
  '\u202e',
  '\ud83d',
  '%',
  '&a ',
  '*a',
  '<<: *a\n',
  '---\n',
  '...\n',
  '? ',
  '- ',
  ': ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '|\n',
  '>\n',
  '!!binary ',
  '!x ',
  '%YAML 1.1\n---\n',
  '__proto__: x\n',
  'constructor: x\n',
  '.nan',
  '1e999',
  '0x1F',
  '~',
  '#',
  '\n',
  '\n\n  ',
  '<<<<<<< HEAD\n',
  '[['.repeat(50),
  '- '.repeat(200),
  '{a: '.repeat(2000),
  '&a [*a, *a]',
  'gbuild: 2\n',
  'gbuild: -1\n',
  '\\',
  '@',
  '`',
  'null: 1\n',
];
const values = [
  '',
  '1',
  '-1',
  '1.10',
  'true',
  'null',
  '[]',
  '{}',
  '[[]]',
  '{a: {b: c}}',
  '"\\u0000"',
  '*a',
  '&a x',
  '../..',
  '/',
  '*',
  '10m',
  '2g',
  'auto',
];

const spot = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const at = (bytes: Buffer, place: number) => Math.floor(place * (bytes.length + 1));

const flip = fc.record({ place: spot, byte: fc.nat(255) }).map(
  ({ place, byte }): Mutation =>
    (bytes) => {
      const changed = Buffer.from(bytes);
      if (changed.length > 0) changed[Math.min(at(changed, place), changed.length - 1)] = byte;
      return changed;
    },
);
const truncate = spot.map(
  (place): Mutation =>
    (bytes) =>
      bytes.subarray(0, at(bytes, place)),
);
const insertText = (text: fc.Arbitrary<string>) =>
  fc.record({ place: spot, text }).map(
    ({ place, text }): Mutation =>
      (bytes) => {
        const offset = at(bytes, place);
        return Buffer.concat([bytes.subarray(0, offset), Buffer.from(text), bytes.subarray(offset)]);
      },
  );
const remove = fc.record({ place: spot, length: fc.nat(30) }).map(
  ({ place, length }): Mutation =>
    (bytes) => {
      const offset = at(bytes, place);
      return Buffer.concat([bytes.subarray(0, offset), bytes.subarray(offset + length)]);
    },
);
const onLines = (change: (lines: string[], index: number, other: number) => void) =>
  fc.record({ place: spot, other: spot }).map(
    ({ place, other }): Mutation =>
      (bytes) => {
        const lines = bytes.toString('utf8').split('\n');
        change(lines, Math.floor(place * lines.length), Math.floor(other * lines.length));
        return Buffer.from(lines.join('\n'));
      },
  );
const duplicateLine = onLines((lines, index, other) => void lines.splice(other, 0, lines[index]!));
const swapLines = onLines((lines, index, other) => {
  [lines[index], lines[other]] = [lines[other]!, lines[index]!];
});
const indentLine = onLines((lines, index) => void lines.splice(index, 1, `  ${lines[index]}`));
const swapType = fc.record({ place: spot, value: fc.constantFrom(...values) }).map(
  ({ place, value }): Mutation =>
    (bytes) => {
      const lines = bytes.toString('utf8').split('\n');
      const index = Math.floor(place * lines.length);
      lines[index] = lines[index]!.replace(/:( .*)?$/, () => `: ${value}`);
      return Buffer.from(lines.join('\n'));
    },
);

const mutation = fc.oneof(
  flip,
  truncate,
  remove,
  insertText(fc.constantFrom(...nasty)),
  insertText(fc.string({ unit: 'binary', maxLength: 12 })),
  duplicateLine,
  swapLines,
  indentLine,
  swapType,
);

/** A real spec, hurt up to six times. */
export const mutatedSpec: fc.Arbitrary<Buffer> = fc
  .record({
    text: fc.constantFrom(...Object.values(corpus)),
    mutations: fc.array(mutation, { minLength: 1, maxLength: 6 }),
  })
  .map(({ text, mutations }) => mutations.reduce<Buffer>((bytes, mutate) => mutate(bytes), Buffer.from(text)));
