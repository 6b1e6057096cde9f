import { afterEach, expect, test, vi } from 'vitest';
import { printJson, printLines, printText } from '../../../src/commands/base/print.ts';

afterEach(() => vi.restoreAllMocks());

/** What arrives on standard output. */
function printed(print: () => void): unknown[] {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  print();
  return log.mock.calls.flat();
}

const evil = 'a\x1b[2J\x9b\u202e\nb %s';

test('lines of a result are one line each, and only their mark is as it was given', () => {
  expect(printed(() => printLines([evil, 'c'], '\x1b[32mok\x1b[39m '))).toEqual([
    '\x1b[32mok\x1b[39m a\\x1b[2J\\x9b\\u202e\\nb %s\nc',
  ]);
});

test('text that is laid out keeps its lines', () => {
  expect(printed(() => printText(evil))).toEqual(['a\\x1b[2J\\x9b\\u202e\nb %s']);
});

test('JSON is the same value without a character that a terminal acts on', () => {
  expect(printed(() => printJson({ evil }))).toEqual(['{\n  "evil": "a\\u001b[2J\\u009b\\u202e\\nb %s"\n}']);
});
