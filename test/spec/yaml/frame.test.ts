import { expect, test } from 'vitest';
import { formatFrame } from '../../../src/spec/yaml/frame.ts';

const frameOf = (text: string, part: string) => {
  const from = text.indexOf(part);
  return formatFrame(text, text.slice(0, from).split('\n').length, from, from + part.length);
};

test('a line is shown under the one above, with carets under the part', () => {
  expect(frameOf('env:\n  A: 1.10\n', '1.10')).toMatchInlineSnapshot(`
    "  1 | env:
    > 2 |   A: 1.10
        |      ^^^^"
  `);
});

test('the first line has none above, and an empty one above is left out', () => {
  expect(frameOf('name: x\n', 'x')).toMatchInlineSnapshot(`
    "> 1 | name: x
        |       ^"
  `);
  expect(frameOf('\nname: x\n', 'x')).toMatchInlineSnapshot(`
    "> 2 | name: x
        |       ^"
  `);
  expect(formatFrame('\na', 1, 0, 0)).toMatchInlineSnapshot(`
    "> 1 |
        | ^"
  `);
});

test('numbers stand in line where they grow by a digit', () => {
  expect(frameOf(`${'a:\n'.repeat(9)}b: x\n`, 'x')).toMatchInlineSnapshot(`
    "   9 | a:
    > 10 | b: x
         |    ^"
  `);
});

test('carets stand under wide characters, tabs and marks that have no width', () => {
  expect(frameOf('世界: x # 🚀', 'x')).toMatchInlineSnapshot(`
    "> 1 | 世界: x # 🚀
        |       ^"
  `);
  expect(frameOf('e\u0301: 世界', '世界')).toMatchInlineSnapshot(`
    "> 1 | é: 世界
        |    ^^^^"
  `);
  expect(frameOf('a:\n\tb: 1', '\tb')).toMatchInlineSnapshot(`
    "  1 | a:
    > 2 |   b: 1
        | ^^^"
  `);
});

test('a long line is cut around the part', () => {
  const frame = frameOf(`${'a'.repeat(300)}WRONG${'b'.repeat(300)}`, 'WRONG');
  expect(frame).toMatchInlineSnapshot(`
    "> 1 | …aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaWRONGbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb…
        |                                                  ^^^^^"
  `);
  expect(Math.max(...frame.split('\n').map((line) => line.length))).toBeLessThan(110);
});

test('a part over several lines is marked to the end of its first', () => {
  expect(frameOf('a: "x\n  y"\n', '"x\n  y"')).toMatchInlineSnapshot(`
    "> 1 | a: "x
        |    ^^"
  `);
});

test('what a terminal would act on is shown as a dot', () => {
  expect(frameOf('a: \u001b[31mX\u202e', 'X')).toMatchInlineSnapshot(`
    "> 1 | a: ·[31mX·
        |         ^"
  `);
});

test('the end of a file has a caret too', () => {
  expect(formatFrame('a: [', 1, 4, 4)).toMatchInlineSnapshot(`
    "> 1 | a: [
        |     ^"
  `);
  expect(formatFrame('', 1, 0, 0)).toMatchInlineSnapshot(`
    "> 1 |
        | ^"
  `);
});
