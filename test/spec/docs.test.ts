import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseLock } from '../../src/spec/lock/lock.ts';
import { parseSpec } from '../../src/spec/read/read-spec.ts';
import { specSchema } from '../../src/spec/schema/schema.ts';
import { errorOf } from './mistakes-of.ts';

const page = readFileSync(new URL('../../docs/spec.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```(\w+)(?: (\w+))?\n([\s\S]*?)^```$/gm)].map(([, language, kind, text]) => ({
  language,
  kind,
  text: text!,
}));
const blocksOf = (language: string, kind?: string) =>
  blocks.filter((block) => block.language === language && block.kind === kind);

test('every example of the reference is a spec without warning', () => {
  for (const { text } of blocksOf('yaml'))
    expect({ text, warnings: parseSpec(text).warnings }).toEqual({ text, warnings: [] });
});

test('the reference shows the message its wrong example gets', () => {
  const [wrong] = blocksOf('yaml', 'invalid');
  const [message] = blocksOf('text');
  expect(errorOf(() => parseSpec(wrong!.text)).message).toBe(message!.text.trimEnd());
});

test('the lock in the reference is one', () => {
  expect(blocksOf('yaml', 'lock').map(({ text }) => parseLock(text).lock)).toEqual([1]);
});

test('every block of the reference is one that is tested', () => {
  const tested = [
    ...blocksOf('yaml'),
    ...blocksOf('yaml', 'invalid'),
    ...blocksOf('yaml', 'lock'),
    ...blocksOf('text'),
  ];
  expect(tested).toHaveLength(blocks.length);
  expect(blocks.length).toBeGreaterThan(10);
});

test('every key has its place in the reference', () => {
  const keys = new Set<string>();
  const collect = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === 'properties') for (const name of Object.keys(value)) keys.add(name);
      collect(value);
    }
  };
  collect(z.toJSONSchema(specSchema, { io: 'input' }));
  const examples = blocksOf('yaml')
    .map(({ text }) => text)
    .join('\n');
  const unsaid = [...keys].filter((key) => !page.includes(`\`${key}\``) || !new RegExp(`\\b${key}:`).test(examples));
  expect(unsaid).toEqual([]);
});
