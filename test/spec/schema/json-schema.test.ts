import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { formatJsonSchema } from '../../../src/spec/schema/json-schema.ts';
import { corpus } from '../corpus.ts';

const published = readFileSync(new URL('../../../schema/gbuild-1.schema.json', import.meta.url), 'utf8');

test('the published JSON Schema is the one in the code: node scripts/schema.ts writes it', () => {
  expect(formatJsonSchema()).toBe(published);
});

test('the published schema takes every spec of the corpus', () => {
  const schema = z.fromJSONSchema(JSON.parse(published));
  for (const [name, text] of Object.entries(corpus))
    expect({ name, error: schema.safeParse(parse(text)).error }).toEqual({ name, error: undefined });
});

test('the published schema refuses what it can see', () => {
  const schema = z.fromJSONSchema(JSON.parse(published));
  for (const text of [
    '{}',
    'gbuild: 2',
    `${corpus.smallest}extra: 1`,
    `${corpus.smallest}network: x`,
    `${corpus.smallest}tasks: {t: {}}`,
  ]) {
    expect({ text, valid: schema.safeParse(parse(text)).success }).toEqual({ text, valid: false });
  }
});

test('every key of the published schema is described', () => {
  const undescribed: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key !== 'properties') walk(value, path);
      else
        for (const [name, property] of Object.entries(value as Record<string, { description?: string }>)) {
          if (property.description === undefined) undescribed.push(`${path}.${name}`);
          walk(property, `${path}.${name}`);
        }
    }
  };
  walk(JSON.parse(published), '');
  expect(undescribed).toEqual([]);
});
