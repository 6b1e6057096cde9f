import { expect, test } from 'vitest';
import { ParsedTemplate } from '../../src/deliver/template.ts';
import { errorOf } from '../support/assert/error-of.ts';

test.each([
  ['unknown', 'a: *b\n'],
  ['inside of what it stands for', 'a: &a\n  b: [*a]\n'],
  ['merged into itself', '<<: &a\n  b: {<<: *a}\n'],
])('an alias that is %s is a mistake, by whatever rules the template is read', async (_, text) => {
  for (const read of [
    () => new ParsedTemplate('a.yml', text).value,
    () => new ParsedTemplate('a.yml', text).readAs('failsafe'),
  ]) {
    const { code, message } = await errorOf(read);
    expect([code, message]).toEqual(['template-invalid', expect.stringContaining('a.yml:1:1')]);
  }
});

test('an alias that is used twice is none of them', () => {
  const { value } = new ParsedTemplate('a.yml', 'a: &a {x: 1}\nb: *a\nc: {<<: *a}\n');
  expect(value).toEqual({ a: { x: 1 }, b: { x: 1 }, c: { x: 1 } });
});
