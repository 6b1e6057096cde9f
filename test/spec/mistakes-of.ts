import { GbuildError } from '../../src/errors.ts';
import { parseSpec } from '../../src/spec/read/read-spec.ts';
import { type Mistake, MistakesError } from '../../src/spec/yaml/mistakes.ts';

/** What parsing throws, which must be a GbuildError. */
export function errorOf(work: () => unknown): GbuildError {
  try {
    work();
  } catch (error) {
    if (error instanceof GbuildError) return error;
    throw error;
  }
  throw new Error('expected it to throw');
}

export function mistakesIn(error: GbuildError): readonly Mistake[] {
  if (error instanceof MistakesError) return error.mistakes;
  throw new Error('expected an error with mistakes', { cause: error });
}

/** The mistakes of a spec, one short line each, without their frames. */
export function mistakesOf(text: string | Uint8Array): string[] {
  return mistakesIn(errorOf(() => parseSpec(text))).map(({ line, column, key, expected, found, hint }) => {
    const rest = hint === undefined ? '' : ` (${hint})`;
    return `${line}:${column} ${key}: expected ${expected}, found ${found}${rest}`;
  });
}

/** A whole spec with these lines added: line 4 is the first of them. */
export function specWith(lines: string): string {
  return `gbuild: 1\nname: hello\ntoolchain: node@^22\n${lines}`;
}
