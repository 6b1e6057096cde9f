import { expect, test } from 'vitest';
import { coloursOf } from '../../../src/commands/base/print.ts';

const red = '\u001b[31mx\u001b[39m';

test.each([
  ['a terminal', { isTTY: true }, { TERM: 'xterm' }, red],
  ['a terminal with NO_COLOR', { isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' }, 'x'],
  ['a terminal that can do nothing', { isTTY: true }, { TERM: 'dumb' }, 'x'],
  ['a pipe', {}, {}, 'x'],
  ['a pipe in CI', {}, { CI: 'true' }, 'x'],
  ['a pipe with FORCE_COLOR', {}, { FORCE_COLOR: '1' }, red],
  ['a pipe with both', {}, { FORCE_COLOR: '1', NO_COLOR: '1' }, 'x'],
])('what is written to %s is coloured or not', (_title, stream, env, expected) => {
  expect(coloursOf(stream, env).red('x')).toBe(expected);
});
