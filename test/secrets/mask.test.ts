import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Mask } from '../../src/secrets/mask.ts';
import { measureGrowth } from '../support/assert/growth.ts';

const secret = (value: string, name = 'S') => ({ name, value: Buffer.from(value) });

function maskChunks(mask: Mask, chunks: Buffer[]): string {
  const stream = mask.openStream();
  return Buffer.concat([...chunks.map((chunk) => stream.push(chunk)), stream.end()]).toString('latin1');
}

function split(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => Buffer.from(bytes.subarray(places[index]!, end)));
}

/** The same by the book: every byte that an occurrence covers is marked, one byte after the other. */
function maskSlowly(text: string, values: string[]): string {
  const covered = new Array<boolean>(text.length).fill(false);
  for (const value of values)
    for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1))
      covered.fill(true, at, at + value.length);
  return [...text].map((each, i) => (covered[i] ? (covered[i - 1] ? '' : '***') : each)).join('');
}

describe('a mask', () => {
  test('hides a value however the stream is cut', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '%'), minLength: 6, maxLength: 9 });
    fc.assert(
      fc.property(
        fc.array(letters, { minLength: 1, maxLength: 3 }),
        fc.array(fc.oneof(fc.nat(9), fc.string({ unit: fc.constantFrom('a', 'b', '%', '\n'), maxLength: 12 }))),
        fc.array(fc.nat()),
        (values, parts, cuts) => {
          const text = parts.map((part) => (typeof part === 'number' ? values[part % values.length] : part)).join('');
          const mask = new Mask(values.map((value) => secret(value)));
          const shown = maskChunks(mask, split(Buffer.from(text), cuts));
          const whole = maskChunks(mask, [Buffer.from(text)]);
          expect(shown).toBe(whole);
          // Encoded forms need letters that are not in these texts, but for those of a value with a %.
          if (values.every((value) => !value.includes('%'))) expect(whole).toBe(maskSlowly(text, values));
          else for (const value of values) expect(whole).not.toContain(value);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('hides each form of a value', () => {
    const value = 'p@ss w/rd"1~';
    const mask = new Mask([secret(`${value}\n`)]);
    const forms = [
      value,
      Buffer.from(value).toString('base64'),
      Buffer.from(`user:${value}`).toString('base64'),
      Buffer.from(`me:${value}`).toString('base64url'),
      encodeURIComponent(value),
      encodeURIComponent(value).replaceAll('%20', '+'),
      new URLSearchParams({ value }).toString(),
      JSON.stringify({ value }),
      'p@ss w/rd&quot;1~',
    ];
    expect(forms.map((form) => mask.maskText(`<${form}>`))).toMatchInlineSnapshot(`
      [
        "<***>",
        "<***>",
        "<dXNlcjp***4=>",
        "<bWU6***>",
        "<***>",
        "<***>",
        "<value=***>",
        "<{"value":"***"}>",
        "<***>",
      ]
    `);
  });

  test('hides each line of a value of several, but for short ones', () => {
    const key = '-----BEGIN KEY-----\nTWFueSBoYW5kcyBtYWtl\n  indented line\nshort\n-----END KEY-----\n';
    const mask = new Mask([secret(key)]);
    expect(mask.maskText(`${key}then TWFueSBoYW5kcyBtYWtl and short and\tindented line.`)).toMatchInlineSnapshot(`
      "***
      then *** and short and	***."
    `);
    const wrapped = Buffer.from(key).toString('base64').replace(/.{76}/g, '$&\n');
    expect(mask.maskText(wrapped)).toMatchInlineSnapshot(`"***0K"`);
  });

  test('keeps back no more than what may begin a value', () => {
    const stream = new Mask([secret('token-123456')]).openStream();
    expect(stream.push(Buffer.from('password? ')).toString()).toBe('password? ');
    expect(stream.push(Buffer.from('no to')).toString()).toBe('no ');
    expect(stream.push(Buffer.from('day')).toString()).toBe('today');
    expect(stream.push(Buffer.from('token-12345')).toString()).toBe('');
    expect(stream.end().toString()).toBe('token-12345');
  });

  test('leaves bytes alone where there is no secret', () => {
    const chunk = Buffer.from([0, 255, 254]);
    expect(new Mask([]).openStream().push(chunk)).toBe(chunk);
  });

  test('takes time as lines do, also where a secret nearly stands in each of them', () => {
    const mask = new Mask([secret('a-token-of-some-length'), secret('x'.repeat(400), 'T')]);
    const pushLines = (count: number) => {
      const chunk = Buffer.from('compiling something in a folder, a-token-of-some-lengtH xxxxxxxxx\n'.repeat(count));
      expect(mask.openStream().push(chunk).length).toBeGreaterThan(0);
    };
    expect(measureGrowth(pushLines, 800_000, 8)).toBeLessThan(24);
  });
});
