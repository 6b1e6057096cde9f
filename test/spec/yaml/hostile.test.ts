import { expect, test } from 'vitest';
import { largestFile } from '../../../src/fs/read-bounded.ts';
import { measureGrowth } from '../../support/assert/growth.ts';
import { mistakesOf, specWith } from '../mistakes-of.ts';

test('a file without content says how to start one', () => {
  expect(
    ['', '\n\n', '# only a comment\n', '---\n', '\ufeff', '~', '[]', 'hello', '42'].flatMap(mistakesOf),
  ).toMatchInlineSnapshot(`
    [
      "1:1 : expected a mapping of the keys of gbuild.yml, starting with "gbuild: 1", found an empty file",
      "1:1 : expected a mapping of the keys of gbuild.yml, starting with "gbuild: 1", found an empty file",
      "1:1 : expected a mapping of the keys of gbuild.yml, starting with "gbuild: 1", found an empty file",
      "1:4 : expected a mapping of the keys of gbuild.yml, starting with "gbuild: 1", found an empty file",
      "1:1 : expected a mapping of the keys of gbuild.yml, starting with "gbuild: 1", found an empty file",
      "1:1 : expected a mapping of the keys of gbuild.yml, starting with "gbuild: 1", found an empty file",
      "1:1 : expected a mapping of the keys of gbuild.yml, starting with "gbuild: 1", found an empty list",
      "1:1 : expected a mapping of the keys of gbuild.yml, starting with "gbuild: 1", found "hello"",
      "1:1 : expected a mapping of the keys of gbuild.yml, starting with "gbuild: 1", found the number 42",
    ]
  `);
});

test('bytes that are no text are named for what they are', () => {
  expect(mistakesOf(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]))).toMatchInlineSnapshot(`
    [
      "1:8 : expected text, found a binary file",
    ]
  `);
  expect(mistakesOf(Buffer.from('\ufeffgbuild: 1', 'utf16le'))).toMatchInlineSnapshot(`
    [
      "1:1 : expected text in UTF-8, found UTF-16 (save the file as UTF-8)",
    ]
  `);
  expect(mistakesOf(Buffer.from(specWith('env: {A: gr\u00fc\u00df}\n'), 'latin1'))).toMatchInlineSnapshot(`
    [
      "4:12 : expected text in UTF-8, found bytes that are not UTF-8 (save the file as UTF-8)",
    ]
  `);
});

test('control characters and lone line ends are found where they stand', () => {
  expect(mistakesOf(specWith('env:\n  A: x\u0001y\n  B: \u001b[31m\n  C: a\rb\n'))).toMatchInlineSnapshot(`
    [
      "5:7 : expected printable text, found the control character U+0001 (inside double quotes it can be written "\\u0001")",
      "6:6 : expected printable text, found the control character U+001B (inside double quotes it can be written "\\u001B")",
      "7:7 : expected lines ending with LF or CRLF, found a CR alone",
    ]
  `);
  expect(mistakesOf(specWith('env: {A: "x\\0y"}\n'))).toMatchInlineSnapshot(`
    [
      "4:10 env.A: expected text without NUL, found a NUL character",
    ]
  `);
});

test('a merge conflict is called one', () => {
  expect(
    mistakesOf('gbuild: 1\n<<<<<<< HEAD\nname: a\n=======\nname: b\n>>>>>>> topic\ntoolchain: node\n'),
  ).toMatchInlineSnapshot(`
    [
      "2:1 : expected YAML, found the mark of a merge conflict that is not resolved",
      "4:1 : expected YAML, found the mark of a merge conflict that is not resolved",
      "6:1 : expected YAML, found the mark of a merge conflict that is not resolved",
    ]
  `);
});

test('mistakes of YAML itself are told in plain words', () => {
  const lines = [
    'tasks:\n\ttest: x',
    'env: {A: b',
    'env: {A: [b}',
    'env:\n  A: "b',
    'env:\n  A: @b',
    'env:\n  A: b: c',
    'env:\n  A: "\\q"',
  ];
  lines.push(
    'env:\n   A: b\n  B: c',
    'env:\n  A: |\n    x\n   y',
    'just text',
    '---\nb: 1',
    'env: *none',
    'env: !!set {A}',
    'env: !foo {}',
  );
  expect(lines.map((line) => mistakesOf(specWith(`${line}\n`)).join('\n'))).toMatchInlineSnapshot(`
    [
      "5:1 : expected spaces as indentation, found a tab",
      "5:1 : expected a closing }, found the end of the file",
      "4:12 : expected a closing ], found "}" here",
      "6:1 : expected a closing quote, found the end of the file",
      "5:6 : expected a value, found the reserved character @ (put the value in quotes)",
      "5:6 : expected one value after the key, found a second ": " on the line (put the value in quotes)",
      "5:7 : expected an escape of YAML, found \\q (write \\\\ for a backslash, or use single quotes)",
      "6:1 : expected the column of the keys above, found another indentation",
      "7:1 : expected the column of the keys above, found another indentation",
      "4:1 : expected "KEY: VALUE", found text without a colon (a colon and a space end a key; text over several lines needs "|" and indentation)",
      "4:1 : expected one YAML document, found a second one (remove --- and what follows it)",
      "4:6 env: expected an anchor &none above, found none of that name (put text that starts with * in quotes)",
      "4:12 env: expected a value without a tag, found the tag "!!set"
    4:13 env.A: expected text, found nothing (write "" for an empty text)",
      "4:11 env: expected a value without a tag, found the tag "!foo"",
    ]
  `);
  expect(mistakesOf(`%YAML 1.1\n---\n${specWith('')}`)).toMatchInlineSnapshot(`
    [
      "1:1 : expected YAML 1.2, found YAML 1.1",
    ]
  `);
});

test('a key given twice is shown at the second, naming the line of the first, beside all other mistakes', () => {
  expect(mistakesOf(specWith('tasks:\n  a: x\n  b: 1\n  a: y\nname: other\n'))).toMatchInlineSnapshot(`
    [
      "6:6 tasks.b: expected a command, or a mapping with run, found the number 1",
      "7:3 tasks.a: expected each key once, found it again: the first is on line 5",
      "8:1 name: expected each key once, found it again: the first is on line 2",
    ]
  `);
});

test('keys are text that can be seen', () => {
  const keys = ['1: a', 'true: b', '~: c', '[x]: d', '? {y: z}\n  : e', '__proto__: f', '"a\\nb": g', '*k : h'];
  expect(keys.flatMap((key) => mistakesOf(specWith(`env:\n  ${key}\n`)))).toMatchInlineSnapshot(`
    [
      "5:3 env: expected a key that is text, found the number 1 (write "1")",
      "5:3 env: expected a key that is text, found the boolean true (write "true")",
      "5:3 env: expected a key that is text, found ~",
      "5:3 env: expected a key that is text, found a list",
      "5:5 env: expected a key that is text, found a mapping",
      "5:3 env: expected a key of visible text, found "__proto__"",
      "5:3 env: expected a key of visible text, found "a\\nb"",
      "5:3 env: expected a key that is text, found an alias",
    ]
  `);
});

test('a key without value is nothing, a value without key is refused', () => {
  expect(mistakesOf(specWith('env:\n  ? A\n'))).toMatchInlineSnapshot(`
    [
      "5:5 env.A: expected text, found nothing (write "" for an empty text)",
    ]
  `);
  expect(mistakesOf(specWith('env:\n  : h\n'))).toMatchInlineSnapshot(`
    [
      "5:3 env: expected a key that is text, found no key",
    ]
  `);
});

test('__proto__ changes no object', () => {
  expect(mistakesOf('__proto__: {polluted: yes}\n')).toHaveLength(4);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('merge keys are explained', () => {
  expect(mistakesOf(specWith('tasks:\n  a: &a {run: x}\n  b: {<<: *a}\n'))).toMatchInlineSnapshot(`
    [
      "6:3 tasks.b.run: expected a command: a text for a shell, or one program and its arguments as a list, found no such key",
      "6:7 tasks.b["<<"]: expected a known key, found "<<" (YAML 1.2 has no merge keys: repeat the keys, or give the whole mapping by an alias)",
    ]
  `);
});

test('nesting too deep is one mistake, however deep, and soon found', () => {
  const deep = ['['.repeat(100_000), '{a: '.repeat(50_000), '- '.repeat(100_000), '? '.repeat(100_000)];
  deep.push(
    `${'['.repeat(500)}${']'.repeat(500)}`,
    Array.from({ length: 300 }, (_, at) => `${' '.repeat(at)}a:\n`).join(''),
  );
  const lines = deep.map((text) => mistakesOf(text));
  expect(lines.filter((mistakes) => mistakes.length > 1)).toEqual([]);
  expect(lines.flat().map((line) => line.replace(/^[\d:]+/, ''))).toMatchInlineSnapshot(`
    [
      " : expected YAML, found nesting too deep to read",
      " : expected YAML, found nesting too deep to read",
      " : expected YAML, found nesting too deep to read",
      " : expected YAML, found nesting too deep to read",
      " [0][0][0][0]: expected at most 32 levels, found deeper nesting",
      " a.a.a.a: expected at most 32 levels, found deeper nesting",
    ]
  `);
}, 30_000);

test('an alias bomb is refused at its fuse', () => {
  const levels = Array.from({ length: 12 }, (_, at) => `  - &l${at + 1} [${Array(10).fill(`*l${at}`).join(', ')}]\n`);
  expect(mistakesOf(`${specWith('passEnv:\n  - &l0 [x]\n')}${levels.join('')}`)).toMatchInlineSnapshot(`
    [
      "9:20 passEnv[4][2]: expected aliases of at most 10000 values in all, found more",
    ]
  `);
  expect(mistakesOf(specWith('env: &e {A: *e}\n'))).toMatchInlineSnapshot(`
    [
      "4:13 env.A: expected an alias of something else, found *e, which holds itself",
    ]
  `);
});

test('a file larger than any spec is refused by its size', () => {
  expect(mistakesOf(Buffer.alloc(largestFile + 1, 'a'))).toMatchInlineSnapshot(`
    [
      "1:1 : expected a file of at most 256 KiB, found a larger one",
    ]
  `);
});

test('the time to read a file of many keys and many mistakes grows as they do', () => {
  const read = (count: number) => {
    const keys = Array.from({ length: count }, (_, at) => `  k${at}: 1\n`).join('');
    expect(mistakesOf(specWith(`env:\n${keys}`))).toHaveLength(count);
  };
  expect(measureGrowth(read, 16_000, 8)).toBeLessThan(24);
});
