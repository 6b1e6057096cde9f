import { escapeLine } from '../escape.ts';

/** The text in one line of at most `length` characters, its end cut off. */
export function shorten(text: string, length: number): string {
  const shown = escapeLine(text);
  return shown.length <= length ? shown : `${shown.slice(0, length - 3)}...`;
}
