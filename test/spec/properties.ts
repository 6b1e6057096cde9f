import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GbuildError } from '../../src/errors.ts';
import { formatLock, parseLock } from '../../src/spec/lock/lock.ts';
import { parseSpec } from '../../src/spec/read/read-spec.ts';
import { migrateSpec } from '../../src/spec/write/migrate.ts';
import type { Mistake } from '../../src/spec/yaml/mistakes.ts';
import { mistakesIn } from './mistakes-of.ts';
import { mutatedSpec } from './mutate.ts';

/** Undefined when the work succeeds, the error when it is the one kind there may be. */
function refusalOf(work: () => unknown, code: string): GbuildError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof GbuildError && error.code === code) return error;
    throw error;
  }
}

function checkRefusal(error: GbuildError, text: string): void {
  const mistakes = mistakesIn(error);
  const lines = text.split('\n');
  expect(mistakes.length).toBeGreaterThan(0);
  expect(error.message).not.toMatch(/^\s+at .*[:(]\d+|\/node_modules\/|file:\/\/|\[object |undefined|Invalid input/m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would act on must not be there
  expect(error.message).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e\ufeff]/);
  for (const mistake of mistakes) checkMistake(mistake, lines);
}

function checkMistake({ line, column, expected, found, frame }: Mistake, lines: string[]): void {
  expect(line).toBeGreaterThanOrEqual(1);
  expect(line).toBeLessThanOrEqual(lines.length);
  expect(column).toBeGreaterThanOrEqual(1);
  expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
  expect(expected).not.toBe('');
  expect(found).not.toBe('');
  if (frame === undefined) {
    expect(found).toBe('UTF-16');
    return;
  }
  expect(frame).toContain(`> ${line} |`);
  expect(frame).toMatch(/ \^+$/);
}

const decode = (bytes: Buffer) => new TextDecoder().decode(bytes);

/** A file with such a mark has no line to show. Chance meets one in some thousand runs. */
const utf16Marks = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

/** What holds for any spec and lock, tried with that many inputs; the rarer properties with a part of them. */
export function describeSpecProperties(runs: number): void {
  test('a mutated spec is a spec or a list of mistakes, each with a place in the file, never anything else', () => {
    let [valid, invalid] = [0, 0];
    fc.assert(
      fc.property(mutatedSpec, (bytes) => {
        const error = refusalOf(() => parseSpec(bytes), 'spec-invalid');
        if (error !== undefined) checkRefusal(error, decode(bytes));
        if (error === undefined) valid++;
        else invalid++;
      }),
      { numRuns: runs },
    );
    expect(Math.min(valid, invalid)).toBeGreaterThan(runs / 50);
  });

  test('what can be read can be migrated without a change, what cannot is refused with the same mistakes', () => {
    fc.assert(
      fc.property(mutatedSpec, (bytes) => {
        const read = refusalOf(() => parseSpec(bytes), 'spec-invalid')?.message;
        const migrated = refusalOf(() => expect(migrateSpec(bytes).changed).toBe(false), 'spec-invalid')?.message;
        expect(migrated).toBe(read);
      }),
      { numRuns: runs / 10 },
    );
  });

  test('arbitrary bytes are refused as mistakes too, in a spec and in a lock', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (bytes) => {
        checkRefusal(refusalOf(() => parseSpec(bytes), 'spec-invalid')!, decode(Buffer.from(bytes)));
        checkRefusal(refusalOf(() => parseLock(bytes), 'lock-invalid')!, decode(Buffer.from(bytes)));
      }),
      { numRuns: runs / 5, examples: utf16Marks.map((mark) => [Uint8Array.from(mark)]) },
    );
  });

  test('every lock reads back as it was written', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
    const option = fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text));
    const key = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_-]{0,12}$/);
    fc.assert(
      fc.property(
        text,
        fc.dictionary(key, option, { minKeys: 1, noNullPrototype: true }),
        hex,
        (request, options, digest) => {
          const platforms = {
            'linux/amd64': { build: `sha256:${digest}`, base: request },
            'linux/arm64': { build: request },
          };
          const lock = {
            lock: 1 as const,
            toolchain: {
              request,
              name: 'node',
              version: '22.1.0',
              options,
              recipe: `sha256:${digest}` as const,
              platforms,
            },
          };
          expect(parseLock(formatLock(lock))).toEqual(lock);
        },
      ),
      { numRuns: runs / 10 },
    );
  });
}
