import { type ErrorCode, GbuildError } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import type { PathKey, Position } from '../types.ts';

/** One thing wrong in a file, as `facts.mistakes` carries it. */
export interface Mistake extends Position {
  file: string;
  path: PathKey[];
  /** The path as one reads it: `tasks.test.needs[0]`; empty for the file as a whole. */
  key: string;
  expected: string;
  found: string;
  /** Text to write instead, or why. */
  hint?: string;
  /** The line it stands on and the one above, with a marker under the place; none of a file that is no text to show. */
  frame?: string;
}

/** How a command may colour the parts of a mistake; every part is whole lines or words. */
export interface MistakeStyle {
  place(text: string): string;
  key(text: string): string;
  frame(text: string): string;
  hint(text: string): string;
}

/** Found where a key should be and is not. */
export const absent = 'no such key';

const most = 20;
const plain: MistakeStyle = { place: same, key: same, frame: same, hint: same };

/** The mistakes as a block of text, in file order, at most 20 of them. */
export function formatMistakes(mistakes: readonly Mistake[], style: MistakeStyle = plain): string {
  const shown = mistakes.slice(0, most).map((mistake) => formatMistake(mistake, style));
  const more = mistakes.length - shown.length;
  if (more > 0) shown.push(`  and ${more} more`);
  return shown.join('\n\n');
}

/** The one error for a file with mistakes; never made without one. */
export class MistakesError extends GbuildError {
  /** In file order. */
  readonly mistakes: readonly Mistake[];

  constructor(code: ErrorCode, mistakes: readonly Mistake[], suggestions: string[] = [], cause?: unknown) {
    const sorted = [...mistakes].sort((a, b) => a.line - b.line || a.column - b.column);
    const count = sorted.length === 1 ? 'one mistake' : `${sorted.length} mistakes`;
    const message = `${count} in ${sorted[0]?.file}\n\n${formatMistakes(sorted)}`;
    super(code, message, { suggestions, facts: { mistakes: sorted }, cause });
    this.mistakes = sorted;
  }
}

/** `tasks.test.needs[0]`, `env["a b"]`. */
export function formatPath(path: readonly PathKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w$:/-]+$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${quote(key)}]`;
  }
  return text;
}

/** A text in quotes, cut to a line and with nothing in it that a terminal would act on. */
export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return escapeLine(JSON.stringify(short));
}

function formatMistake(mistake: Mistake, style: MistakeStyle): string {
  const place = style.place(`${mistake.file}:${mistake.line}:${mistake.column}`);
  const lines = [`  ${place}  ${describe(mistake, style)}`];
  if (mistake.frame !== undefined) lines.push(...mistake.frame.split('\n').map((line) => style.frame(`    ${line}`)));
  if (mistake.hint !== undefined) lines.push(style.hint(`    ${mistake.hint}`));
  return lines.join('\n');
}

function describe({ key, expected, found }: Mistake, style: MistakeStyle): string {
  if (found === absent) return `${style.key(key)} is missing: expected ${expected}`;
  return `${key === '' ? '' : `${style.key(key)}: `}expected ${expected}, found ${found}`;
}

function same(text: string): string {
  return text;
}
