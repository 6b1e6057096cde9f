import { type ErrorCode, GbuildError } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import type { PathKey, Position } from '../types.ts';

/** Mistake in a file, as `facts.mistakes` holds it. */
export interface Mistake extends Position {
  file: string;
  path: PathKey[];
  /** Path such as `tasks.test.needs[0]`; empty for the file as a whole. */
  key: string;
  expected: string;
  found: string;
  /** Text to write instead, or the reason. */
  hint?: string;
  /**
   * Line of the mistake and the one above, with a marker under the position; absent where the file has no text to show.
   */
  frame?: string;
}

/** Colours for the parts of a mistake; every part is whole lines or words. */
export interface MistakeStyle {
  place(text: string): string;
  key(text: string): string;
  frame(text: string): string;
  hint(text: string): string;
}

/** Text for a required key that is missing. */
export const absent = 'no such key';

const most = 20;
const plain: MistakeStyle = { place: same, key: same, frame: same, hint: same };

/** Formats the mistakes as a block of text, in file order, at most 20 of them. */
export function formatMistakes(mistakes: readonly Mistake[], style: MistakeStyle = plain): string {
  const shown = mistakes.slice(0, most).map((mistake) => formatMistake(mistake, style));
  const more = mistakes.length - shown.length;
  if (more > 0) shown.push(`  and ${more} more`);
  return shown.join('\n\n');
}

/** Error of a file with mistakes; there is at least one. */
export class MistakesError extends GbuildError {
  /** Mistakes in file order. */
  readonly mistakes: readonly Mistake[];

  constructor(code: ErrorCode, mistakes: readonly Mistake[], suggestions: string[] = [], cause?: unknown) {
    const sorted = [...mistakes].sort((a, b) => a.line - b.line || a.column - b.column);
    const count = sorted.length === 1 ? 'one mistake' : `${sorted.length} mistakes`;
    const message = `${count} in ${sorted[0]?.file}\n\n${formatMistakes(sorted)}`;
    super(code, message, { suggestions, facts: { mistakes: sorted }, cause });
    this.mistakes = sorted;
  }
}

/** Formats a path: `tasks.test.needs[0]`, `env["a b"]`. */
export function formatPath(path: readonly PathKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w$:/-]+$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${quote(key)}]`;
  }
  return text;
}

/** Quotes a text, shortened to a line, without control characters for a terminal. */
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
